"""Samples for ragas and training data for TRL, field by field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rag.store import Selection, Store
from tests.conftest import write_files
from tests.rated import RED, WHITE, WIDE, Export, answer


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_ragas_samples_have_a_reference_only_where_somebody_gave_one(make: Export) -> None:
    done = make("ragas")

    samples = objects(done.path)
    assert samples[0] == {
        "user_input": "Which red is dry?",
        "retrieved_contexts": [WHITE.text, RED.text],
        "reference_contexts": [RED.text],
        "retrieved_context_ids": ["whites:0-18", "reds:10-37"],
        "reference_context_ids": ["reds:10-37"],
        "response": "Riesling. [1]",
        "reference": "Tempranillo.",
    }
    assert samples[1]["reference"] is None  # a thumb up is no reference
    assert samples[1]["reference_contexts"] is None
    assert done.counts == {"samples": 5, "with_reference": 1, "with_reference_contexts": 1, "stopped": 1}


def test_kto_takes_thumbs_and_corrections(make: Export) -> None:
    done = make("kto", prompt="question")

    assert objects(done.path) == [
        {"prompt": "Which red is dry?", "completion": "Riesling. [1]", "label": False},
        {"prompt": "Which red is dry?", "completion": "Tempranillo.", "label": True},
        {"prompt": "which red  is dry?", "completion": "Tempranillo. [1]", "label": True},
    ]
    assert done.counts == {"rows": 3, "desirable": 2, "undesirable": 1, "corrections": 1}


def test_dpo_takes_comparisons_and_corrections(make: Export) -> None:
    done = make("dpo", prompt="question")

    assert objects(done.path) == [
        {"prompt": "A port?", "chosen": "Yes, a ruby. [1]", "rejected": "No."},
        {"prompt": "Which red is dry?", "chosen": "Tempranillo.", "rejected": "Riesling. [1]"},
    ]
    assert done.counts == {"rows": 2, "preferences": 1, "corrections": 1, "undecided": 1}


@pytest.mark.parametrize(
    ("selection", "kinds"),
    [
        (Selection(rating="down"), {"preferences": 1, "corrections": 1}),  # compared, not thumbed
        (Selection(origins=("chat",)), {"preferences": 0, "corrections": 1}),
        (Selection(prototype="benefits"), {"preferences": 0, "corrections": 0}),
        (Selection(until=1_600_000_000.0), {"preferences": 0, "corrections": 0}),
    ],
)
def test_a_comparison_is_meant_where_both_answers_are(
    make: Export, selection: Selection, kinds: dict[str, int]
) -> None:
    counts = make("dpo", selection=selection).counts

    assert {kind: counts[kind] for kind in kinds} == kinds


def test_a_comparison_that_was_taken_back_or_changed_counts_as_it_stands(make: Export, store: Store) -> None:
    store.preferences.add("pair-1", "left", "right", None)
    store.preferences.add("pair-2", "right", "left", "left")

    assert objects(make("dpo", prompt="question").path)[0]["chosen"] == "Yes, a ruby. [1]"
    assert make("dpo").counts["preferences"] == 1


def test_the_prompt_is_what_a_model_was_given(make: Export) -> None:
    prompt = objects(make("kto").path)[0]["prompt"]

    assert prompt.startswith("You answer questions from passages")
    assert f'<passage number="2" from="Reds">\n{RED.text}\n</passage>' in prompt
    assert prompt.endswith("Question: Which red is dry?\n\n")


def test_messages_are_the_same_in_the_conversational_form(make: Export) -> None:
    text = objects(make("dpo", out="text.jsonl").path)[0]
    said = objects(make("dpo", out="said.jsonl", prompt="messages").path)[0]

    assert [message["role"] for message in said["prompt"]] == ["system", "user"]
    assert "\n\n".join(message["content"] for message in said["prompt"]) + "\n\n" == text["prompt"]
    assert said["chosen"] == [{"role": "assistant", "content": text["chosen"]}]
    assert said["rejected"] == [{"role": "assistant", "content": text["rejected"]}]


def test_a_prototype_s_own_prompt_is_used(make: Export, store: Store, home: Path) -> None:
    write_files(
        home / "prototypes" / "wine" / "prompts", {"short.md": "# system\nBe short.\n\n# user\n{question}\n"}
    )
    store.save_answer(answer("own", "Why?", "So.", WIDE), settings={"prompt": "short"})
    store.save_answer(answer("gone", "How?", "Thus.", WIDE))
    with store._database.writing() as connection:
        connection.execute("UPDATE settings SET record = ?", ('{"prompt": "short"}',))
    store.add_feedback("own", "up")

    assert objects(make("kto").path)[-1]["prompt"] == "Be short.\n\nWhy?\n\n"
