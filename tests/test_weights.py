"""The file of fitted weights: what is taken, what is refused, and when the hand weights count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rag import weights
from rag.errors import ModelError
from rag.weights import PATH, SIGNALS, Calibration, Weights, in_force, load

PACKAGED = PATH.read_text(encoding="utf-8")


def line_of(name: str) -> str:
    return next(line for line in PACKAGED.splitlines() if line.startswith(f"{name} = "))


def test_the_packaged_file_loads_with_every_signal() -> None:
    loaded = load()

    assert tuple(loaded.signals) == SIGNALS
    assert loaded.calibration.threshold == 0.5
    assert max(loaded.signals.values()) > 0


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (line_of("format"), "format = 9", "format 9 instead of 1"),
        (line_of("format"), "", "no “format”"),
        (line_of("chosen"), 'chosen = "mine"', "“chosen” is 'mine'"),
        (line_of("cosine"), 'cosine = "much"', "“signals.cosine” is not a number"),
        (line_of("cosine"), "cosine = nan", "“signals.cosine” is not a number"),
        (line_of("cosine"), "cosine = true", "“signals.cosine” is not a number"),
        (line_of("cosine"), "cosine = -1.0", "“signals.cosine” is not between 0 and 100"),
        (line_of("pairs"), "", "the signals are not window, cosine"),
        (line_of("pairs"), "pears = 1.0", "the signals are not window, cosine"),
        (line_of("threshold"), "threshold = 2.0", "“confidence.threshold” is not between 0 and 1"),
        ("[confidence]", "[doubt]", "no “confidence”"),
        ("[late]", "[early]", "no “late”"),
        (line_of("best"), "", "the weights of late interaction are not fused, section, sentence, best"),
        (line_of("best"), "best = -0.1", "“late.best” is not between 0 and 100"),
        ("[signals]", "[signals", "Expected"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_in_a_sentence(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    path = tmp_path / "weights.toml"
    path.write_text(PACKAGED.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(ModelError) as caught:
        load(path)

    assert str(caught.value).startswith("The fitted weights in weights.toml cannot be used (")
    assert why in str(caught.value)
    assert str(caught.value).endswith("or set fusion=hand.")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a,b\n1,2\n", b"signals = 3", b'{"format": 1}'])
def test_any_other_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.toml").write_bytes(content)

    with pytest.raises(ModelError, match="cannot be used"):
        load(tmp_path / "weights.toml")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="it is missing"):
        load(tmp_path / "weights.toml")


def fitted(chosen: Any) -> Weights:
    return Weights(dict.fromkeys(SIGNALS, 1.0), Calibration(1.0, 1.0, 0.0), chosen)


@pytest.mark.parametrize(
    ("chosen", "fusion", "learned"),
    [
        ("learned", "auto", True),
        ("learned", "learned", True),
        ("learned", "hand", False),
        ("hand", "auto", False),
        ("hand", "learned", True),
    ],
)
def test_auto_is_what_was_chosen(
    monkeypatch: pytest.MonkeyPatch, chosen: str, fusion: str, learned: bool
) -> None:
    monkeypatch.setattr(weights, "_packaged", lambda: fitted(chosen))

    assert (in_force(fusion) is not None) is learned


def test_without_a_usable_file_auto_is_the_hand_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_packaged", lambda: ModelError("It is damaged."))

    assert in_force("auto") is None
    assert in_force("hand") is None
    with pytest.raises(ModelError, match="damaged"):
        in_force("learned")
