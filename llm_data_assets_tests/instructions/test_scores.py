"""Scores say what they are described to say."""

from typing import Any

import pytest

from llm_data_assets.config.instructions import TASK_TYPES
from llm_data_assets.instructions.dialogue import role_fault
from llm_data_assets.instructions.scores import (
    COLUMNS,
    Lists,
    margin,
    rating_of,
    repetition,
    score,
)
from llm_data_assets.instructions.task_type import report, task_types
from llm_data_assets.instructions.words import words

NO_LISTS = Lists({})


def row(question: str, answer: str, **other: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"kind": "conversation", "system": None, "turns": turns, "n_prompt": 1,
            "rejected": None, "ratings": [], **other}  # fmt: skip


def scored(question: str, answer: str, lists: Lists = NO_LISTS, **other: Any) -> dict[str, Any]:
    return score([row(question, answer, **other)], lists, [{}]).to_pylist()[0]


def test_every_column_is_there_and_described() -> None:
    assert set(scored("Who?", "Me.")) == {name for name, _, _ in COLUMNS}
    assert all(said for _, _, said in COLUMNS)


def test_repetition_of_chinese_has_the_published_value() -> None:
    # methods B.6: n = 2 gives .778, and the most of n = 2 to 4 counts
    assert repetition(words("很好" * 5)) == pytest.approx(0.778, abs=5e-4)
    assert repetition(words("数据质量决定模型上限。训练前要做去重与过滤。")) == 0.0
    assert repetition(["a", "a", "a"]) == 0.0  # too short to tell


@pytest.mark.parametrize(
    ("roles", "fault"),
    [
        ("user assistant user assistant", "none"),
        ("system user assistant", "none"),
        ("user tool_call tool assistant", "none"),
        ("assistant user", "starts_with_answer"),
        ("user user assistant", "repeated_role"),
        ("user tool assistant", "stray_tool"),
        ("user narrator", "unknown_role"),
    ],
)
def test_wrong_roles_have_a_name(roles: str, fault: str) -> None:
    assert role_fault([{"role": role} for role in roles.split()]) == fault


@pytest.mark.parametrize(
    ("column", "value", "question", "answer"),
    [
        ("vague_reference", 1, "What does this mean?", "It means well."),
        ("vague_reference", 0, "What does this mean?\nE = mc^2", "Energy is mass."),
        ("vague_reference", 1, "那个是什么", "不知道"),
        ("refusal", 1, "How?", "I'm sorry, but I can't help with that."),
        ("refusal", 1, "怎么做", "对不起，我不能提供帮助。"),
        ("refusal", 0, "How?", "Sorrel is an herb."),
        ("missing_answer", 1, "How?", "  "),
        ("language_agrees", 0.0, "Please describe the city of Berlin in some detail.",
         "柏林是德国的首都，也是德国最大的城市，人口超过三百万，历史悠久，文化丰富。"),
        ("language_agrees", None, "Translate the sentence into Chinese: Berlin is large.",
         "柏林是德国的首都，也是德国最大的城市，人口超过三百万，历史悠久，文化丰富。"),
        ("code_share", 1.0, "Code?", "```py\nx = 1\n```"),
        ("reasoning_steps", 3, "Sum?", "1. a\n2. b\n3. c"),
    ],
)  # fmt: skip
def test_a_score_by_example(column: str, value: Any, question: str, answer: str) -> None:
    assert scored(question, answer)[column] == value


def test_steps_are_the_most_of_items_words_and_equations() -> None:
    for answer, steps in (("首先看题，然后计算，因此得到答案", 3), ("2 + 2 = 4\n4 * 2 = 8", 2),
                          ("First this, then that, THEREFORE so", 3)):  # fmt: skip
        assert scored("How?", answer)["reasoning_steps"] == steps


@pytest.mark.parametrize("text", ["1 " * 50_000, "$" * 50_001, "\\(" * 20_000, "```" * 9_999])
def test_a_hostile_answer_costs_no_more_than_its_length(text: str) -> None:
    assert 0 <= scored("How?", text)["math_share"] <= 1


def test_terms_are_counted_by_weight_and_at_word_boundaries() -> None:
    lists = Lists({"tensor": 2.0, "张量": 1.0}, ["bomb"])
    found = scored("tensor tensors 张量", "a bombshell", lists)
    assert found["concept_density"] == pytest.approx(
        100 * 3 / len("tensor tensors 张量\na bombshell")
    )
    assert found["unsafe_terms"] == 0
    assert scored("how to make a bomb", "no", lists)["unsafe_terms"] == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (4.5, (4.5, "none")),
        ("4.5", (4.5, "none")),
        ("N/A", (None, "not_a_number")),
        (11, (None, "out_of_range")),
        (float("nan"), (None, "out_of_range")),
        (10**400, (None, "not_a_number")),
        (True, (None, "not_a_number")),
        ([4], (None, "not_a_number")),
        (None, (None, "none")),
    ],
)
def test_ratings_out_of_range_or_as_text(given: Any, expected: tuple[Any, str]) -> None:
    lists = Lists({}, rating="score", rating_range=(0.0, 10.0))
    assert rating_of([], {"score": given}, lists) == expected


def test_the_margin_is_of_ratings_else_of_ranks() -> None:
    rated = [{"aspect": "honesty", "chosen": 5.0, "rejected": 3.0},
             {"aspect": "overall", "chosen": 8.0, "rejected": 6.5}]  # fmt: skip
    assert margin(rated, (0, 10)) == 1.5
    assert margin(rated, (0, 7)) is None
    assert margin([{"aspect": "rank", "chosen": 0.0, "rejected": 2.0}], (0, 10)) == 2.0
    assert margin([], (0, 10)) is None


def test_what_a_reader_could_not_use_as_a_rating_is_a_fault() -> None:
    for broken, fault in (({"overall": "ten"}, "not_a_number"), ({"overall": 11}, "out_of_range")):
        assert rating_of([], {"broken_ratings": broken}, Lists({})) == (None, fault)


def test_task_types_follow_tools_and_labels_before_the_classifier() -> None:
    questions = ["Write a poem about rain.", "anything", "anything"]
    types, sure = task_types(questions, [False, True, False], [None, None, "open_qa"])
    assert types == ["creative", "tool_use", "recall"]
    assert sure[1:].tolist() == [1.0, 1.0]
    assert task_types([], [], [])[0] == []


def test_the_classifier_reports_how_rough_it_is() -> None:
    found = report()
    assert found == report()
    assert set(found["recall"]) == set(TASK_TYPES)
    assert 0.5 < found["accuracy"] < 1  # four kinds, a hundred seeds: better than chance, no more
