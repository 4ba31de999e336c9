"""Packing documents into sequences of one length."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from llm_data_assets.kernel import allocating

Method = Literal["best_fit", "concatenate", "document", "window"]


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


@dataclass(frozen=True)
class Waste:
    """What packing costs: padding and repeated tokens, documents and cuts through them."""

    padding: int
    repeated: int
    cut_documents: int
    cuts: int


def pack(lengths: np.ndarray, sequence_length: int, method: Method, *, overlap: int = 0) -> Spans:
    """Assign every token of every document to a sequence of at most `sequence_length` tokens.

    `concatenate` joins all and cuts every `sequence_length`; `document` starts a sequence with
    each document; `window` does so too, and begins each further sequence of a document with the
    last `overlap` tokens of the one before (which a trainer leaves out of the loss); `best_fit`
    (Ding et al. 2024, arXiv 2404.10830) cuts only documents longer than a sequence, then puts each
    piece, longest first, into the fullest sequence that has room.

    Args:
        lengths: int[n], tokens of each document; documents of none stand nowhere.

    Raises:
        ValueError: a length is negative, or windows would not move on.
    """
    lengths = np.asarray(lengths, np.int64)
    if len(lengths) and lengths.min() < 0:
        raise ValueError(
            f"document {int(lengths.argmin())} has {lengths.min()} tokens. Try: tokenize again"
        )
    if not 0 <= overlap < sequence_length or (overlap and method != "window"):
        raise ValueError(
            f"an overlap of {overlap} does not go with {method} sequences of {sequence_length}. "
            "Try: packing: window, and an overlap shorter than the sequence"
        )
    if method == "concatenate":
        return _concatenate(lengths, sequence_length)
    document, start, length = _pieces(lengths, sequence_length, overlap)
    if method != "best_fit":
        return _spans(np.arange(len(document), dtype=np.int64), document, start, length)
    sequence = np.empty(len(document), np.int64)
    order = _longest_first(length, sequence_length)
    sequence[order] = _best_fit(length[order], sequence_length)
    reading = np.argsort(sequence, kind="stable")  # pieces are in order of document and start
    return _spans(sequence[reading], document[reading], start[reading], length[reading])


def waste(spans: Spans, lengths: np.ndarray, sequence_length: int) -> Waste:
    """What a packing of documents of these lengths costs."""
    placed = int(spans.length.sum())
    pieces = np.bincount(spans.document, minlength=len(lengths))
    return Waste(
        padding=spans.n_sequences * sequence_length - placed,
        repeated=placed - int(np.sum(lengths)),
        cut_documents=int((pieces > 1).sum()),
        cuts=int((pieces - 1)[pieces > 1].sum()),
    )


def _spans(
    sequence: np.ndarray, document: np.ndarray, start: np.ndarray, length: np.ndarray
) -> Spans:
    return Spans(sequence, document, start.astype(np.int32), length.astype(np.int32))


def _longest_first(length: np.ndarray, limit: int) -> np.ndarray:
    """Rows by length, longest first, equal ones in order."""
    # NumPy sorts 16-bit keys by radix, in linear time.
    key = np.uint16 if limit < 1 << 16 else np.int64
    return np.argsort((limit - length).astype(key), kind="stable")


def _pieces(
    lengths: np.ndarray, limit: int, overlap: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Documents in pieces of `limit` with `overlap` in common: document, start, length of each."""
    stride = limit - overlap
    counts = np.where(lengths > 0, 1 + -(-np.maximum(lengths - limit, 0) // stride), 0)
    document = np.repeat(np.arange(len(lengths), dtype=np.int64), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    start = (np.arange(len(document), dtype=np.int64) - first) * stride
    return document, start, np.minimum(limit, lengths[document] - start)


def _concatenate(lengths: np.ndarray, limit: int) -> Spans:
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.union1d(ends, np.arange(limit, total + limit, limit).clip(max=total))
    cuts = cuts[cuts > 0] if total else np.empty(0, np.int64)
    begins = np.concatenate([np.zeros(min(1, len(cuts)), np.int64), cuts[:-1]]).astype(np.int64)
    document = np.searchsorted(ends, begins, side="right")
    start = begins - (ends - lengths)[document]
    return _spans(begins // limit, document.astype(np.int64), start, cuts - begins)


@allocating
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
