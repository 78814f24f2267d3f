"""``links`` and ``owner`` on the command line: stable JSON, one-time tokens, passwords from a pipe."""

from __future__ import annotations

import io
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rag import cli
from rag.access import Owner, check_password
from rag.commands.links import moment
from rag.engine import Engine
from rag.errors import UsageError
from rag.links import Links
from tests.conftest import write_files
from tests.fakes import FakeEmbedder


@pytest.fixture
def rag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """``rag("links", "list")`` gives the exit code, what was printed and what was complained about."""
    monkeypatch.setenv("THUMBPRINT_HOME", str(tmp_path / "home"))
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(cli, "Engine", partial(Engine, load_model=FakeEmbedder))
    folder = write_files(tmp_path / "files", {"key.md": "# Keys\n\nThe spare key is at the front desk.\n"})

    def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = cli.main([*arguments, "--quiet"])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    run("ingest", str(folder), "--prototype", "desk")
    return run


def test_a_link_from_its_making_to_its_end(rag: Any, tmp_path: Path) -> None:
    options = [
        "--label",
        "For Ann",
        "--expires",
        "7d",
        "--per-visitor",
        "9",
        "--per-day",
        "5",
        "--total",
        "50",
    ]
    more = ["--dollars", "2.5", "--set", "k=3", "--base", "https://example.org/", "--password"]
    code, out, _ = rag(
        "links", "create", "--json", "--prototype", "desk", *options, *more, typed="open sesame\n"
    )
    made = json.loads(out)

    assert code == 0
    assert made["url"] == f"https://example.org/?link={made['token']}"
    assert made["caps"] == {"visitor": 9, "day": 5, "total": 50, "dollars": 2.5}
    assert (made["settings"]["k"], made["settings"]["generator"]) == (3, "extractive")
    assert made["password"] is True
    assert "open sesame" not in out
    assert "scrypt" not in out
    assert made["index_version"]

    code, out, _ = rag("links", "list", "--json")
    (row,) = json.loads(out)
    assert (code, row["id"], row["state"], row["kept_in"]) == (0, made["id"], "active", "machine")
    assert row["feedback"] == {
        "answers": 0, "visitors": 0, "up": 0, "down": 0, "abstained": 0, "dollars": 0.0, "last": None,
        "index_versions": [],
    }  # fmt: skip
    assert made["token"] not in out
    assert "scrypt" not in out

    assert rag("links", "list", "--json", "--prototype", "wine")[1] == "[]\n"
    code, out, _ = rag("links", "revoke", made["id"], "--json")
    assert (code, json.loads(out)["id"]) == (0, made["id"])
    assert "revoked" in rag("links", "list")[1]


def test_the_links_of_a_mistyped_prototype_are_not_none(rag: Any, tmp_path: Path) -> None:
    rag("links", "create", "--prototype", "desk")

    code, out, err = rag("links", "list", "--prototype", "dekc")
    assert (code, out) == (1, "")
    assert "There is no prototype “dekc”" in err

    shutil.rmtree(tmp_path / "home" / "prototypes" / "desk")  # what was shared of it can still be revoked
    code, out, _ = rag("links", "list", "--json", "--prototype", "desk")
    (row,) = json.loads(out)
    assert (code, row["state"]) == (0, "active")
    assert rag("links", "revoke", row["id"], "--prototype", "desk")[0] == 0


def test_documents_that_changed_are_told(rag: Any, tmp_path: Path) -> None:
    rag("links", "create", "--prototype", "desk")
    more = write_files(tmp_path / "more", {"lamp.md": "# Lamps\n\nThe lamp is blue.\n"})
    rag("ingest", str(more), "--prototype", "desk")
    assert "documents changed" in rag("links", "list")[1]
    assert json.loads(rag("links", "list", "--json")[1])[0]["index_differs"] is True


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["create", "--prototype", "nothing"], 1, "There is no prototype"),
        (["create", "--prototype", "desk", "--expires", "soon"], 2, "--expires takes"),
        (["create", "--prototype", "desk", "--expires", "9999-12-31"], 2, "leave --expires out"),
        (["create", "--prototype", "desk", "--per-day", "0"], 2, "a whole number from 1"),
        (["create", "--prototype", "desk", "--set", "what=1"], 2, "There is no setting"),
        (
            ["create", "--prototype", "desk", "--set", 'filters.where={"price":{"$foo":1}}'],
            2,
            "Unknown operator '$foo' on 'price'",
        ),
        (
            ["create", "--prototype", "desk", "--set", "embedding.model=other"],
            2,
            "rag reindex --prototype desk --set embedding.model=other",
        ),
        (["create", "--prototype", "desk", "--set", "generator=openai"], 2, "needs OPENAI_API_KEY"),
        (["create", "--prototype", "desk", "--password"], 2, "A password has 8 to"),
        (["revoke", "nothing"], 1, "There is no link"),
    ],
)
def test_what_is_wrong_is_told(rag: Any, arguments: list[str], code: int, told: str) -> None:
    ended, out, err = rag("links", *arguments)
    assert (ended, out) == (code, "")
    assert told in err
    assert rag("links", "list")[1] == "There are no links yet.\n"


def test_moments() -> None:
    now = 1_800_000_000.0
    assert moment("12h", now) == now + 12 * 3_600
    assert moment("7d", now) == now + 7 * 86_400
    assert moment("4w", now) == now + 28 * 86_400
    assert moment("2027-01-31", now) == 1_801_440_000.0  # the end of that day, UTC
    for wrong in ("", "7", "d7", "2027-02-30", "-1d", "999999h"):
        with pytest.raises(UsageError):
            moment(wrong, now)


def test_the_owners_password_from_a_pipe(rag: Any) -> None:
    code, out, _ = rag("owner", "hash", "--json", typed="correct horse\n")
    assert code == 0
    assert check_password("correct horse", json.loads(out)["hash"])
    assert rag("owner", "hash", typed="correct horse\n")[1].startswith('THUMBPRINT_OWNER_PASSWORD = "scrypt:')
    assert rag("owner", "hash", typed="short\n")[0] == 2


def test_a_reset_takes_the_claim_back(rag: Any) -> None:
    store = Engine().store
    Owner(lambda: store, None, 12).claim("s" * 43)
    assert json.loads(rag("owner", "reset", "--json")[1]) == {"was_claimed": True}
    assert json.loads(rag("owner", "reset", "--json")[1]) == {"was_claimed": False}


def test_a_link_of_the_command_line_opens_in_the_chat(rag: Any) -> None:
    made = json.loads(rag("links", "create", "--json", "--prototype", "desk")[1])
    links = Links(Engine(load_model=FakeEmbedder))
    assert links.resolve(made["token"], "prototype").id == made["id"]
