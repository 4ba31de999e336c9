"""Packing documents into sequences of one length."""

from dataclasses import dataclass
from typing import Literal

import numba
import numpy as np

Method = Literal["best_fit", "concatenate", "document"]


@dataclass(frozen=True)
class Spans:
    """Which part of which document stands in which sequence, in reading order.

    Arrays of one length: `sequence` int64, `document` int64 (row of the input), `start` int32
    (first token of the document), `length` int32.
    """

    sequence: np.ndarray
    document: np.ndarray
    start: np.ndarray
    length: np.ndarray

    @property
    def n_sequences(self) -> int:
        return int(self.sequence[-1]) + 1 if len(self.sequence) else 0


def pack(lengths: np.ndarray, sequence_length: int, method: Method) -> Spans:
    """Assign every token of every document to a sequence of at most `sequence_length` tokens.

    `concatenate` joins all and cuts every `sequence_length`; `document` starts a sequence with
    each document; `best_fit` (Ding et al. 2024, arXiv 2404.10830) cuts only documents longer than
    a sequence, then puts each piece, longest first, into the fullest sequence that has room.

    Args:
        lengths: int[n], tokens of each document.
    """
    lengths = np.asarray(lengths, np.int64)
    if method == "concatenate":
        return _concatenate(lengths, sequence_length)
    document, start, length = _pieces(lengths, sequence_length)
    if method == "document":
        sequence = np.arange(len(document), dtype=np.int64)
    else:
        order = np.argsort(-length, kind="stable")
        bins = np.empty(len(order), np.int64)
        bins[order] = _best_fit(length[order], sequence_length)
        sequence = bins
    reading = np.lexsort((start, document, sequence))
    return Spans(
        sequence[reading],
        document[reading],
        start[reading].astype(np.int32),
        length[reading].astype(np.int32),
    )


def _pieces(lengths: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Documents cut every `limit` tokens: (document, start, length) of each piece."""
    counts = -(-lengths // limit)
    document = np.repeat(np.arange(len(lengths), dtype=np.int64), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    start = (np.arange(len(document), dtype=np.int64) - first) * limit
    return document, start, np.minimum(limit, lengths[document] - start)


def _concatenate(lengths: np.ndarray, limit: int) -> Spans:
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.union1d(ends, np.arange(limit, total + limit, limit).clip(max=total))
    cuts = cuts[cuts > 0] if total else np.empty(0, np.int64)
    begins = np.concatenate([np.zeros(min(1, len(cuts)), np.int64), cuts[:-1]]).astype(np.int64)
    document = np.searchsorted(ends, begins, side="right")
    start = begins - (ends - lengths)[document]
    return Spans(
        begins // limit,
        document.astype(np.int64),
        start.astype(np.int32),
        (cuts - begins).astype(np.int32),
    )


@numba.njit("int64[:](int64[:], int64)", cache=True)
def _best_fit(lengths: np.ndarray, limit: int) -> np.ndarray:
    """Bin of each piece (longest first); a tree over the room left finds the tightest bin.

    Bins with the same room are a linked list, last opened first; `filled[r]` of the tree says
    whether any bin below has room r. O(n log limit).
    """
    width = 1
    while width < limit + 1:
        width *= 2
    tree = np.zeros(2 * width, np.bool_)
    head = np.full(limit + 1, -1, np.int64)
    following = np.full(len(lengths), -1, np.int64)
    bins = np.empty(len(lengths), np.int64)
    opened = 0
    for piece in range(len(lengths)):
        need = lengths[piece]
        node = width + need
        room = -1
        if tree[node]:
            room = need
        else:  # up until a right sibling has a bin, then down its left edge
            while node > 1:
                if node % 2 == 0 and tree[node + 1]:
                    node += 1
                    while node < width:
                        node = 2 * node if tree[2 * node] else 2 * node + 1
                    room = node - width
                    break
                node //= 2
        if room < 0:
            chosen = opened
            opened += 1
            room = limit
        else:
            chosen = head[room]
            head[room] = following[chosen]
            if head[room] < 0:
                node = width + room
                tree[node] = False
                while node > 1:
                    node //= 2
                    tree[node] = tree[2 * node] or tree[2 * node + 1]
        bins[piece] = chosen
        left = room - need
        if left > 0:
            following[chosen] = head[left]
            head[left] = chosen
            node = width + left
            while node >= 1 and not tree[node]:
                tree[node] = True
                node //= 2
    return bins
