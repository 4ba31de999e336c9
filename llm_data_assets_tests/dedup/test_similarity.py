"""Jaccard similarity of texts, by the kernel as by the reference."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.dedup.bands import band_keys
from llm_data_assets.dedup.exact import text_hashes
from llm_data_assets.dedup.minhash import shingle_sets, signatures
from llm_data_assets.dedup.similarity import jaccard, similarity

HASHES = st.sets(st.integers(0, 40), max_size=25)


def jaccard_of_texts(left: str, right: str) -> float:
    values, (_, middle, end) = shingle_sets(pa.array([left, right]))
    return jaccard(values[:middle], values[middle:end], 0.0)


def test_similarity_of_two_texts() -> None:
    assert similarity("a b c d e f", "a b c d e g") == 1 / 3
    assert similarity("A, b, c!", "a b c") == 1.0
    assert similarity("a b c", "c b a") == 0.0
    assert similarity("", "?!") == 0.0


@settings(max_examples=200, deadline=None)
@given(HASHES, HASHES, st.sampled_from([0.0, 0.2, 0.5, 0.6, 0.75, 0.8, 1.0]))
def test_the_kernel_counts_as_sets_do(left: set[int], right: set[int], at_least: float) -> None:
    true = len(left & right) / len(left | right) if left | right else 0.0
    a, b = (np.array(sorted(each), np.uint64) for each in (left, right))
    assert jaccard(a, b, at_least) == (true if true >= at_least else -1.0)


def test_a_similarity_at_the_threshold_is_reached() -> None:
    """No rounding may lose it: every fraction of two sets is its own threshold."""
    for n in range(1, 30):
        for shared in range(n + 1):
            left = np.arange(n, dtype=np.uint64)
            right = np.arange(n - shared, 2 * n - shared, dtype=np.uint64)
            true = shared / (2 * n - shared)
            assert jaccard(left, right, true) == true
            assert jaccard(left, right, np.nextafter(true, 2)) == -1.0


@settings(max_examples=60, deadline=None)
@given(*[st.lists(st.sampled_from("abc"), max_size=30).map(" ".join)] * 2)
def test_the_kernel_agrees_with_the_reference(left: str, right: str) -> None:
    assert jaccard_of_texts(left, right) == similarity(left, right)


@pytest.fixture(scope="module")
def novel(shared_data: Path) -> dict[str, str]:
    folder = shared_data / "books/pg1342"
    return {path.stem: _read(path) for path in sorted(folder.glob("*.txt"))}


def test_editions_of_one_novel_are_as_near_as_they_are(novel: dict[str, str]) -> None:
    """Natural ground truth. `[\\w']+` keeps the underscores of emphasis and gives 0.920 and 0.915
    for pandp11 and pandp10; folding them away, as `normalise` does, gives 0.951 and 0.946."""
    base = novel["1342"]
    found = {name: similarity(base, text) for name, text in novel.items() if name != "1342"}
    assert sorted(found, key=lambda name: -found[name]) == [
        "1342-0",
        "pandp12",
        "pandp11",
        "pandp10",
    ]
    expected = {"1342-0": 1.0, "pandp12": 0.958, "pandp11": 0.951, "pandp10": 0.946}
    assert found == {name: pytest.approx(value, abs=0.01) for name, value in expected.items()}
    for name, value in found.items():
        assert jaccard_of_texts(base, novel[name]) == value
        assert _counted_apart(base, novel[name], r"[^\W_]+") == pytest.approx(value, abs=0.001)
    with_underscores = _counted_apart(base, novel["pandp11"], r"[\w']+")
    assert with_underscores == pytest.approx(0.921, abs=0.01)


def test_fourteen_bands_of_eight_find_every_edition(novel: dict[str, str]) -> None:
    keys = band_keys(signatures(pa.array(novel.values())), bands=14, rows=8)
    assert (keys == keys[0]).any(axis=1).all()


def test_the_bodies_of_two_editions_differ_in_form_alone(novel: dict[str, str]) -> None:
    """They are 684,884 and 684,897 characters long, yet say the same word for word."""
    bodies = [
        text[text.index("*** START OF") : text.index("*** END OF")]
        for text in (novel["1342"], novel["1342-0"])
    ]
    assert bodies[0] != bodies[1]
    ascii_hash, utf8_hash = text_hashes(pa.array(bodies)).to_pylist()
    assert ascii_hash == utf8_hash
    assert similarity(*bodies) == 1.0


def test_curly_quotes_and_underscores_do_not_keep_editions_apart(shared_data: Path) -> None:
    """J is 0.497 on the texts as they stand."""
    ascii_, utf8 = (_read(shared_data / "books/pg11" / name) for name in ("11.txt", "11-0.txt"))
    assert similarity(ascii_, utf8) == pytest.approx(0.999, abs=0.01)


def _counted_apart(left: str, right: str, word: str) -> float:
    """Jaccard similarity of word 5-grams without any of the package's code."""

    def grams(text: str) -> set[tuple[str, ...]]:
        words = re.findall(word, text.lower())
        return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}

    a, b = grams(left), grams(right)
    return len(a & b) / len(a | b)


def _read(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
