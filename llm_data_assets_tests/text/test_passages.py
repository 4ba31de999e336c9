"""Benchmark questions in documents: found whatever the layout, told exactly, cut by rule."""

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.text.benchmarks import read_questions
from llm_data_assets.text.cuts import KIND, cut
from llm_data_assets.text.edits import apply_edits
from llm_data_assets.text.passages import (
    Index,
    Passage,
    build_index,
    find_passages,
    gram_hashes,
    scan,
    units,
)

QUESTION = (
    "A ferry carries forty eight passengers across the bay every forty minutes; "
    "how many passengers can it carry in one day, if it rests for four hours at night?"
)
CHINESE = "一艘渡轮每四十分钟载四十八名乘客渡过海湾，请问这艘渡轮一天最多能够运送多少名乘客？"


def index_of(*texts: str, n: int = 13) -> Index:
    return build_index((f"q{i}", text, *gram_hashes(text, n)) for i, text in enumerate(texts))


def passages(text: str, index: Index, skipping: bool = False) -> list[Passage]:
    return [found for _, found in find_passages(pa.array([text]), index, skipping=skipping)]


@pytest.mark.parametrize(
    "change",
    [
        lambda q: q,
        str.upper,
        lambda q: q.replace(" ", "\n"),
        lambda q: q.replace(";", " —").replace("?", "!!!"),
        lambda q: "".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c for c in q),
    ],
    ids=["as it is", "capitals", "line breaks", "punctuation", "full width"],
)
def test_a_question_is_found_whatever_its_layout(change) -> None:  # type: ignore[no-untyped-def]
    text = f"Before it. {change(QUESTION)} After it."
    (found,) = passages(text, index_of(QUESTION))
    assert (found.question, found.share) == ("q0", 1.0)
    assert found.units == len(units(QUESTION).names)
    held = text[found.start : found.start + found.length]
    assert units(held).names == units(QUESTION).names


def test_thirteen_characters_of_chinese_are_common_speech_and_thirty_are_a_question() -> None:
    index = index_of(CHINESE)
    assert index.widths.tolist() == [30]
    assert passages(f"例题。{CHINESE}解答", index)[0].share == 1.0
    assert passages("一艘渡轮每四十分钟载四十八名乘客渡过。", index) == []


def test_a_question_under_eight_words_is_left_out() -> None:
    width, hashes = gram_hashes("How many are there in all?", 13)
    assert (width, len(hashes)) == (6, 0)


def test_four_changed_words_are_skipped_under_llama_2_and_hide_from_thirteen_grams() -> None:
    words = QUESTION.split()
    for place in (11, 13, 15, 17):
        words[place] = "other"
    text = " ".join(words)
    assert passages(text, index_of(QUESTION)) == []
    (found,) = passages(text, index_of(QUESTION, n=10), skipping=True)
    assert found.units == len(words) - 4
    words[19] = "fifth"
    (shorter,) = passages(" ".join(words), index_of(QUESTION, n=10), skipping=True)
    assert shorter.units < found.units


def test_two_passages_of_one_question_are_two_rows_with_one_share() -> None:
    words = QUESTION.split()
    text = f"{' '.join(words[:14])}. Something else stands here. {' '.join(words[14:])}"
    found = passages(text, index_of(QUESTION))
    assert len(found) == 2 and len({each.share for each in found}) == 1
    assert 0 < found[0].share < 1


WORDS = st.lists(
    st.sampled_from(["a", "B", "c’d", "é", "中", "，", "\n", "Ａ", "_", "🙂"]), max_size=60
)


@settings(max_examples=300)
@given(WORDS, st.integers(0, 40), st.integers(8, 14))
def test_the_kernel_finds_the_grams_that_the_reference_finds(
    words: list[str], first: int, n: int
) -> None:
    text = " ".join(words)
    question = " ".join(words[first : first + 20])
    width, hashes = gram_hashes(question, n)
    index = build_index([("q", question, width, hashes.tolist())])
    here, there = units(text).names, units(question).names
    grams = {there[i : i + width] for i in range(len(hashes))}
    expected = [i for i in range(len(here) - width + 1) if here[i : i + width] in grams]
    found = scan(pa.array(["", text]), index)
    assert found[:, 1].tolist() == (expected if len(hashes) else [])
    assert set(found[:, 0].tolist()) <= {1}


def test_a_document_can_hold_several_questions() -> None:
    other = "Nine words that stand nowhere else in this little test file at all today"
    found = passages(f"{other}. {QUESTION}", index_of(QUESTION, other))
    assert {(each.question, each.share) for each in found} == {("q0", 1.0), ("q1", 1.0)}


def test_a_collision_of_hashes_is_no_passage() -> None:
    width, hashes = gram_hashes(QUESTION, 13)
    other = " ".join(f"word{i}" for i in range(13))
    (wrong,) = gram_hashes(other, 13)[1]
    hashes[0] = wrong
    index = build_index([("q0", QUESTION, width, hashes.view(np.int64).tolist())])
    assert len(scan(pa.array([other]), index)) == 1
    assert passages(other, index) == []


def test_gpt3_cuts_two_hundred_characters_on_either_side() -> None:
    text = "x" * 1000 + QUESTION + "y" * 1000
    edits = cut(text, [(1000, 1000 + len(QUESTION))], "gpt3", 0.5)
    assert edits is not None and [edit.kind for edit in edits] == [KIND]
    assert apply_edits(text, edits) == "x" * 800 + "y" * 800


def test_gpt3_drops_small_pieces_and_documents_in_more_than_ten() -> None:
    assert cut("x" * 300 + "q" * 50, [(300, 350)], "gpt3", 0.5) is None
    spans = [(1000 * i, 1000 * i + 10) for i in range(1, 11)]
    assert cut("x" * 12_000, spans, "gpt3", 0.5) is None
    assert cut("x" * 12_000, spans[:-1], "gpt3", 0.5) is not None


def test_the_paragraph_rule_takes_the_paragraph_alone() -> None:
    text = f"First one.\n\n{QUESTION}\n\nLast one."
    start = text.index(QUESTION)
    edits = cut(text, [(start, start + len(QUESTION))], "paragraph", 0.5)
    assert edits is not None
    assert apply_edits(text, edits) == "First one.\n\n\n\nLast one."
    assert cut(f"{text} {'more ' * 99}", [(start, start + 20)], "paragraph", 0.5) == []


@settings(max_examples=300)
@given(
    st.text("ab \n", max_size=900),
    st.lists(st.tuples(st.integers(0, 880), st.integers(1, 20)), max_size=6),
    st.sampled_from(["gpt3", "paragraph"]),
)
def test_what_is_cut_can_be_replayed(text: str, spans: list[tuple[int, int]], rule: str) -> None:
    inside = [(a, a + n) for a, n in spans if a + n <= len(text)]
    edits = cut(text, inside, rule, 0.5)
    if edits is not None:
        left = apply_edits(text, edits)
        assert len(left) == len(text) - sum(edit.length for edit in edits)


@pytest.mark.parametrize(
    ("file", "form", "count", "words"),
    [
        ("gsm8k/test.jsonl", "gsm8k", 1319, "ducks lay 16 eggs"),
        ("HumanEval.jsonl.gz", "humaneval", 164, "has_close_elements"),
        ("arc_easy.jsonl", "arc", 2376, "photosynthesis"),
        ("arc_challenge.jsonl", "arc", 1172, "meteorite"),
        ("piqa.jsonl", "piqa", 1838, "guinea pig cage"),
        ("winogrande.jsonl", "winogrande", 1267, "easier cases"),
    ],
)
def test_benchmarks_are_read_in_their_publishers_layout(
    shared_data: Path, file: str, form: str, count: int, words: str
) -> None:
    questions = read_questions((shared_data / "eval" / file).read_bytes(), form)
    assert len(questions) == count
    assert words in questions[0][1]
    assert len({name for name, _ in questions}) == count


@pytest.mark.parametrize(
    ("form", "record", "expected"),
    [
        ("arc", {"id": "M1", "question": {"stem": "Why?", "choices": []}}, ("M1", "Why?")),
        (
            "piqa",
            {"goal": "Dry it", "sol1": "sun", "sol2": "rain", "label": 0},
            ("1", "Dry it sun"),
        ),
        (
            "winogrande",
            {"sentence": "Ann saw _ run", "option1": "Bo", "option2": "Cy", "answer": "2"},
            ("1", "Ann saw Cy run"),
        ),
    ],
)
def test_the_original_layouts_are_read_too(
    form: str, record: dict[str, object], expected: tuple[str, str]
) -> None:
    assert read_questions(json.dumps(record).encode(), form) == [expected]


def test_mmlu_is_csv_without_a_head() -> None:
    data = b'"What, then, is it?",a,b,c,d,B\n"Line\none",1,2,3,4,A\n'
    assert read_questions(gzip.compress(data), "mmlu") == [
        ("1", "What, then, is it?"),
        ("2", "Line\none"),
    ]


@pytest.mark.parametrize(
    ("data", "form", "words"),
    [
        (b'{"question": "a"}\n{"answer": 1}', "gsm8k", "line 2 is no gsm8k question"),
        (b"not json", "arc", "line 1"),
        (b"a,b,c", "mmlu", "line 1 has 3 fields"),
    ],
)
def test_a_line_that_does_not_fit_is_named(data: bytes, form: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_questions(data, form)
