"""Instruction and preference sets: one schema, no field lost, broken ones told apart."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from llm_data_assets.sources.conversation import Conversation, Preference
from llm_data_assets.sources.document import Reject
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import check_options, load_reader
from llm_data_assets_tests.sources import fixtures_conversations as fixtures
from llm_data_assets_tests.sources.reading import read, reasons


def records(path: Path, name: str, **options: object) -> list[Any]:
    """What the format's `read_records` gives for one file."""
    (file,) = list_files([path.name], base=path.parent)
    return list(load_reader(name).read_records(file, check_options(name, options)))  # type: ignore[attr-defined]


def said(turns: list[Any]) -> list[tuple[str, str]]:
    return [(turn.role, turn.content) for turn in turns]


def test_every_path_of_a_tree_is_a_dialogue(tmp_path: Path) -> None:
    one, other, broken = records(fixtures.oasst(tmp_path), "oasst")
    assert said(one.turns) == [
        ("user", "What is a quay?"), ("assistant", "A landing place."), ("user", "Thanks."),
    ]  # fmt: skip
    assert said(other.turns)[1] == ("assistant", "A key.")
    assert (one.language, one.native_id) == ("en", "m4")
    assert one.meta["messages"][1]["labels"] == {"quality": {"value": 0.9}}
    assert isinstance(broken, Reject)


def test_ranked_siblings_are_preferences(tmp_path: Path) -> None:
    pair, broken = records(fixtures.oasst(tmp_path), "oasst", records="preferences")
    assert said(pair.chosen) == [("assistant", "A landing place.")]
    assert said(pair.rejected) == [("assistant", "A key.")]
    assert pair.scores == {"chosen": {"rank": 0}, "rejected": {"rank": 1}}
    assert isinstance(broken, Reject)


def test_flat_messages_become_trees(tmp_path: Path) -> None:
    found = records(fixtures.oasst_flat(tmp_path), "oasst")
    assert [said(each.turns) for each in found if isinstance(each, Conversation)] == [
        [("user", "Why?"), ("assistant", "So.")]
    ]
    rejects = [each for each in found if isinstance(each, Reject)]
    assert reasons(rejects) == ["orphan", "cycle", "cycle"]


def test_the_real_trees(shared_data: Path) -> None:
    path = shared_data / "oasst" / "en_100_tree.jsonl"
    dialogues = records(path, "oasst")
    assert {type(each) for each in dialogues} == {Conversation}
    assert len({each.meta["message_tree_id"] for each in dialogues}) == 66
    pairs = records(path, "oasst", records="preferences")
    assert all(each.scores["chosen"]["rank"] < each.scores["rejected"]["rank"] for each in pairs)


def test_alpaca_and_its_copies(tmp_path: Path) -> None:
    first, second, third, broken = records(fixtures.alpaca(tmp_path), "alpaca")
    assert said(first.turns) == [("user", "Add.\n\n1, 2"), ("assistant", "3")]
    assert said(second.turns) == [("user", "Greet."), ("assistant", "Hello.")]
    assert said(third.turns)[1] == ("assistant", "Hello.")
    assert broken.error == "wrong type: output is int, not text"


def test_dolly_keeps_its_category(tmp_path: Path) -> None:
    first, second, broken = records(fixtures.dolly(tmp_path), "dolly")
    assert said(first.turns) == [("user", "Name a knot."), ("assistant", "Bowline.")]
    assert said(second.turns)[0] == ("user", "How deep?\n\nIt is 6 m.")
    assert first.meta == {"category": "qa"}
    assert broken.error.startswith("no answer")


def test_tools_are_turns_and_preferences_of_sharegpt(tmp_path: Path) -> None:
    dialogue, pair, broken = records(fixtures.sharegpt(tmp_path), "sharegpt")
    assert [turn.role for turn in dialogue.turns] == ["user", "tool_call", "tool", "assistant"]
    assert dialogue.tools == "[{}]"
    assert isinstance(pair, Preference)
    assert said(pair.rejected) == [("assistant", "No.")]
    assert broken.error.startswith("no turns")
    documents, _ = read(fixtures.sharegpt(tmp_path), "sharegpt")
    assert documents[0].text.split("\n\n")[1:3] == [
        'Function call: {"name": "tide"}', "Observation: 6 m",
    ]  # fmt: skip


def test_an_overall_score_of_ten_that_means_one(tmp_path: Path) -> None:
    path = fixtures.ultrafeedback(tmp_path)
    *dialogues, empty = records(path, "ultrafeedback")
    assert [each.meta["scores"]["overall"] for each in dialogues] == [8.0, 1.0, 8.0]
    assert dialogues[0].meta["corrected_scores"] == 1
    assert dialogues[0].meta["scores"].keys() >= {"helpfulness", "honesty"}
    assert "truthfulness" not in dialogues[0].meta["scores"]  # its rating is N/A
    assert dialogues[0].meta["correct_answers"] == []
    assert dialogues[0].system == "Be kind."
    assert isinstance(empty, Reject)
    pairs = records(path, "ultrafeedback", records="preferences")[:-1]
    assert [(said(each.chosen), said(each.rejected)) for each in pairs] == [
        ([("assistant", "Bowline.")], [("assistant", "Rope.")]),
        ([("assistant", "Reef.")], [("assistant", "Rope.")]),
    ]


def test_a_pair_of_hh_rlhf_shares_its_beginning(tmp_path: Path) -> None:
    pair, broken = records(fixtures.hh_rlhf(tmp_path), "hh_rlhf")
    assert said(pair.prompt) == [("user", "Hello"), ("assistant", "Yes?"), ("user", "Which knot?")]
    assert said(pair.chosen) == [("assistant", "A bowline.")]
    assert broken.error.startswith("no turns")


def test_the_real_pairs(shared_data: Path) -> None:
    path = shared_data / "hh-rlhf" / "harmless-base" / "test.jsonl.gz"
    found = records(path, "hh_rlhf")
    assert Counter(type(each) for each in found) == {Preference: 1541}
    assert all(each.chosen != each.rejected or each.prompt for each in found)
    pointer = shared_data / "hh-rlhf" / "helpful-base" / "train.jsonl.gz"
    documents, rejects = read(pointer, "hh_rlhf")
    assert (documents, reasons(rejects)) == ([], ["git lfs pointer"])


def test_flan_writes_line_breaks_as_two_characters(tmp_path: Path) -> None:
    first, broken, third = records(fixtures.flan(tmp_path), "flan")
    assert said(first.turns) == [
        ("user", "Two and\ntwo?"), ("assistant", "2 + 2 = 4.\nThe answer is 4."),
    ]  # fmt: skip
    assert said(third.turns)[1] == ("assistant", "yes")
    assert broken.error.startswith("no answer")


@pytest.mark.parametrize(
    ("name", "rows"),
    [("creak", 6915), ("ecqa", 7112), ("gsm8k", 7473), ("strategyqa", 2061)],
)
def test_the_real_chains_of_thought(shared_data: Path, name: str, rows: int) -> None:
    found = records(shared_data / "flan" / f"{name}_train.tsv", "flan")
    assert len(found) == rows
    assert {type(each) for each in found} == {Conversation}


def test_an_odd_number_of_turns_is_kept_and_marked(tmp_path: Path) -> None:
    even, odd, broken = records(fixtures.lima(tmp_path), "lima")
    assert "unanswered" not in even.meta and odd.meta["unanswered"]
    assert [turn.role for turn in odd.turns] == ["user", "assistant", "user"]
    assert broken.error.startswith("broken turn")


def test_a_broken_instance_costs_itself(tmp_path: Path) -> None:
    first, broken, none = records(fixtures.self_instruct(tmp_path), "self_instruct")
    assert first.native_id == "seed_task_0-0"
    assert first.meta == {"name": "knots", "is_classification": False}
    assert (broken.error.partition(":")[0], none.error.partition(":")[0]) == (
        "no answer", "no instances",
    )  # fmt: skip


def test_the_real_instructions(shared_data: Path) -> None:
    found = records(shared_data / "alpaca" / "alpaca_en_demo.json", "alpaca")
    assert Counter(type(each) for each in found) == {Conversation: 999}
    seeds = records(shared_data / "alpaca" / "seed_tasks.jsonl", "self_instruct")
    assert Counter(type(each) for each in seeds)[Conversation] >= 175
