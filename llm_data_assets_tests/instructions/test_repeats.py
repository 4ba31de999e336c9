"""Repeats: the kernel decides as a plain loop over all pairs does."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.instructions.repeats import METHODS, find_repeats, rouge_l
from llm_data_assets.instructions.words import words


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("请解释量子纠缠原理", "解释量子纠缠的原理", 0.8889),
        (
            "Explain quantum entanglement to a child",
            "Explain quantum entanglement to a five year old child",
            0.8,
        ),
        ("", "anything", 0.0),
        ("same", "SAME!", 1.0),
    ],
)
def test_rouge_l_has_the_published_values(one: str, other: str, expected: float) -> None:
    assert round(rouge_l(one, other), 4) == expected


def test_chinese_is_compared_by_characters_and_english_by_words() -> None:
    assert words("Tell me: 你好 world2") == ["tell", "me", "你", "好", "world2"]


def by_pairs(questions: list[str], threshold: float) -> list[tuple[int, float]]:
    """The choice as its definition says it: each against all kept before it."""
    found: list[tuple[int, float]] = []
    for at, question in enumerate(questions):
        if question in questions[:at]:
            first = questions.index(question)
            found.append((first, 1.0) if found[first][0] < 0 else found[first])
            continue
        best, best_similarity = -1, 0.0
        for before in range(at):
            similarity = rouge_l(question, questions[before])
            if found[before][0] < 0 and similarity > max(threshold, best_similarity):
                best, best_similarity = before, similarity
        found.append((best, best_similarity))
    return found


sentences = st.lists(
    st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=9).map(" ".join), max_size=25
)


@given(sentences, st.sampled_from([0.5, 0.7, 0.85]))
def test_the_kernel_removes_what_a_loop_over_all_pairs_removes(
    questions: list[str], threshold: float
) -> None:
    dialogues = pa.array(questions, pa.string())
    partner, similarity, method = find_repeats(
        dialogues, questions, np.arange(len(questions)), near=None, rouge=threshold
    )
    expected = by_pairs(questions, threshold)
    assert partner.tolist() == [each for each, _ in expected]
    assert similarity.tolist() == pytest.approx([each for _, each in expected])
    assert all(METHODS[each] in ("exact", "rouge") for each in method[partner >= 0].tolist())


@given(st.lists(st.sampled_from(["aa", "bb", "cc"]), min_size=100, max_size=160), st.randoms())
def test_questions_longer_than_a_machine_word_are_compared_exactly(drawn, random) -> None:  # type: ignore[no-untyped-def]
    other = [each for each in drawn if random.random() > 0.2]
    questions = [" ".join(drawn), " ".join(other) or "zz"]
    partner, similarity, _ = find_repeats(
        pa.array(questions), questions, np.arange(2), near=None, rouge=0.4
    )
    expected = rouge_l(*questions)
    if questions[0] != questions[1]:
        assert (partner[1] == 0) == (expected > 0.4)
        assert not expected > 0.4 or similarity[1] == pytest.approx(expected)


def test_the_order_decides_who_stays_and_a_question_may_stand_aside() -> None:
    questions = ["name three fruits please", "name three fruits please now", None, None]
    dialogues = pa.array(["d0", "d1", "same text", "Same text!"])
    partner, _, method = find_repeats(
        dialogues, questions, np.array([1, 0, 3, 2]), near=0.8, rouge=0.7
    )
    assert partner.tolist() == [1, -1, 3, -1]
    assert [METHODS.get(each) for each in method.tolist()] == ["rouge", None, "exact", None]


def test_long_dialogues_that_differ_little_are_near_repeats() -> None:
    text = " ".join(f"word{i}" for i in range(200))
    dialogues = pa.array([text, text + " and more", " ".join(f"other{i}" for i in range(200))])
    partner, similarity, method = find_repeats(
        dialogues, ["q one", "q two", "q three"], np.arange(3), near=0.8, rouge=None
    )
    assert partner.tolist() == [-1, 0, -1]
    assert METHODS[int(method[1])] == "near" and 0.95 < similarity[1] < 1
