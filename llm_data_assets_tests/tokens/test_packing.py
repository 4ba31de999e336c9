"""Packing places every token, cuts only what it must, and says what it costs."""

import bisect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.tokens.packing import Method, Spans, pack, waste

METHODS: tuple[Method, ...] = ("best_fit", "concatenate", "document", "window")
LENGTHS = st.lists(st.integers(0, 60), max_size=60)


def bins(lengths: list[int], limit: int, method: Method, overlap: int = 0) -> list[list[int]]:
    spans = pack(np.array(lengths, np.int64), limit, method, overlap=overlap)
    found: list[list[int]] = [[] for _ in range(spans.n_sequences)]
    for sequence, length in zip(spans.sequence, spans.length, strict=True):
        found[sequence].append(int(length))
    return found


def places(spans: Spans) -> list[tuple[int, int]]:
    return sorted(
        (int(document), int(start) + offset)
        for document, start, length in zip(spans.document, spans.start, spans.length, strict=True)
        for offset in range(int(length))
    )


def test_best_fit_as_in_its_paper() -> None:
    assert sorted(map(sorted, bins([14, 7, 5, 2, 3], 8, "best_fit"))) == [[2, 6], [3, 5], [7], [8]]


def test_concatenate_cuts_every_sequence_length() -> None:
    assert bins([14, 7, 5, 2, 3], 8, "concatenate") == [[8], [6, 2], [5, 3], [2, 2, 3]]


def test_windows_begin_with_the_end_of_the_one_before() -> None:
    spans = pack(np.array([14, 0, 8, 9]), 8, "window", overlap=3)
    assert spans.document.tolist() == [0, 0, 0, 2, 3, 3]
    assert spans.start.tolist() == [0, 5, 10, 0, 0, 5]
    assert spans.length.tolist() == [8, 8, 4, 8, 8, 4]
    assert spans.sequence.tolist() == list(range(6))


@given(lengths=LENGTHS, limit=st.integers(1, 40), method=st.sampled_from(METHODS))
def test_every_token_stands_in_exactly_one_sequence(
    lengths: list[int], limit: int, method: Method
) -> None:
    spans = pack(np.array(lengths, np.int64), limit, method)
    every = [(document, i) for document, length in enumerate(lengths) for i in range(length)]
    assert places(spans) == every
    totals = np.bincount(spans.sequence, spans.length)
    assert (totals <= limit).all() and (totals > 0).all()
    reading = list(zip(spans.sequence, spans.document, spans.start, strict=True))
    assert reading == sorted(reading)
    if method == "best_fit":  # no document is cut that fits
        assert np.bincount(spans.document, minlength=len(lengths)).tolist() == [
            -(-length // limit) for length in lengths
        ]


@given(lengths=LENGTHS, limit=st.integers(1, 40), share=st.floats(0, 0.99))
def test_windows_hold_every_token_and_each_brings_new_ones(
    lengths: list[int], limit: int, share: float
) -> None:
    overlap = int(limit * share)
    spans = pack(np.array(lengths, np.int64), limit, "window", overlap=overlap)
    assert set(places(spans)) == {(d, i) for d, length in enumerate(lengths) for i in range(length)}
    ends = spans.start + spans.length
    for row in range(1, len(spans.document)):
        if spans.document[row] == spans.document[row - 1]:
            assert ends[row - 1] - spans.start[row] == overlap
            assert ends[row] > ends[row - 1]


@given(lengths=LENGTHS, limit=st.integers(1, 40))
def test_best_fit_chooses_as_a_sorted_list_of_room_left_would(
    lengths: list[int], limit: int
) -> None:
    pieces = [min(limit, length - start) for length in lengths for start in range(0, length, limit)]
    rooms: list[int] = []
    n_bins = 0
    for piece in sorted(pieces, reverse=True):
        at = bisect.bisect_left(rooms, piece)
        if at < len(rooms):
            left = rooms.pop(at) - piece
        else:
            n_bins, left = n_bins + 1, limit - piece
        if left:
            bisect.insort(rooms, left)
    packed = bins(lengths, limit, "best_fit")
    assert sorted(limit - sum(each) for each in packed if sum(each) < limit) == rooms
    assert len(packed) == n_bins


def test_padding_repetition_and_cuts_are_counted() -> None:
    lengths = np.array([14, 7, 5, 2, 3])
    fit = waste(pack(lengths, 8, "best_fit"), lengths, 8)
    assert (fit.padding, fit.repeated, fit.cut_documents, fit.cuts) == (1, 0, 1, 1)
    joined = waste(pack(lengths, 8, "concatenate"), lengths, 8)
    assert (joined.padding, joined.repeated, joined.cut_documents, joined.cuts) == (1, 0, 3, 3)
    windows = waste(pack(lengths, 8, "window", overlap=3), lengths, 8)
    assert (windows.padding, windows.repeated, windows.cuts) == (19, 6, 2)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_pack_is_no_sequence(method: Method) -> None:
    for lengths in ([], [0, 0]):
        spans = pack(np.array(lengths, np.int64), 8, method)
        assert spans.n_sequences == len(spans.document) == 0
        assert waste(spans, np.array(lengths, np.int64), 8).padding == 0


@pytest.mark.parametrize(("method", "overlap"), [("window", 8), ("window", -1), ("best_fit", 2)])
def test_an_overlap_that_makes_no_sense_is_refused(method: Method, overlap: int) -> None:
    with pytest.raises(ValueError, match="Try:"):
        pack(np.array([9]), 8, method, overlap=overlap)


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="document 1 has -2 tokens"):
        pack(np.array([3, -2]), 8, "best_fit")
