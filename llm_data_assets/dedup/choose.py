"""Which documents go, and which kept document each of them repeats."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.dedup.buckets import equal_keys
from llm_data_assets.dedup.parts import Map, settle_parts
from llm_data_assets.dedup.settle import by_member

_PRIME = np.uint64(0x9E3779B185EBCA87)
_CROWDED = (
    256  # where comparing with each kept document of a bucket costs more than asking `crowds`
)

FOUND = pa.schema(
    [
        ("row", pa.int32()),
        ("doc_id", pa.string()),
        ("source", pa.string()),
        ("kept_doc_id", pa.string()),
        ("kept_source", pa.string()),
        ("similarity", pa.float64()),
        ("method", pa.string()),
    ]
)


def find_duplicates(
    documents: pa.Table,
    keys: Sequence[np.ndarray],
    shingle_sets: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    *,
    threshold: float,
    exact_by: Sequence[str] = (),
    meaning: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None,
    max_cosine: float = 1.0,
    in_order: Map = map,
    in_threads: Map = map,
) -> pa.Table:
    """Choose the documents that go, each with the kept document it repeats.

    Documents stand in a total order: priority ascending, quality descending (null last), doc_id
    ascending. A document goes if and only if a *kept* document before it, of the same scope,

    - has the same text hash (`exact`, similarity 1.0),
    - or has the same value, not null, in a column of `exact_by` (that column's name),
    - or shares a band key with it and has at least `threshold` true Jaccard similarity of shingle
      sets (`near`),
    - or, none of these being so and `meaning` being given, lies in its cluster with a cosine above
      `max_cosine` (`semantic`, the cosine being the similarity). Clusters keep the number of pairs
      down, after SemDeDup (Abbas et al. 2023); there the order is by distance from the centre.

    So there are no chains of strangers, and the answer depends on the set of documents alone: not
    on rows' order, and not on what runs side by side. Of several kept documents the most similar
    is named, of equals the first. Documents without shingles (no letters or digits) never go as
    `near`.

    Cost: shingle sets are asked for once, of the documents that share a key. A document is
    compared with the kept members of its buckets only, copies of one text once for all of them:
    a million copies cost one pass. Where many meet and all stay, as pages under one banner do, only
    those that share something rare are compared (`crowds`); what remains quadratic is a crowd of
    documents that are all nearly as alike as the threshold.

    Memory: about 60 bytes a document beside `documents`, with one band's keys for each thread, and
    10 bytes for each key that a document shares; `keys` and the answer of `shingle_sets` may be
    memory maps.

    Args:
        documents: doc_id string, unique; source string; scope string; priority int32; quality
            float64, may be null; text_hash binary of 16 bytes; n_shingles int32; and the columns
            of `exact_by`, binary of 16 bytes, may be null.
        keys: uint64[n] for each band (`bands.band_keys`), rows as in `documents`.
        shingle_sets: given rows of `documents`, ascending, their sorted and distinct shingle
            hashes: values uint64[...] and offsets int64[k + 1].
        threshold: in (0, 1].
        meaning: given rows of `documents` in the total order, one of each text, their vectors of
            length 1 (or 0, which nothing resembles), float32[k, d], and clusters int32[k].
        in_order: a `map`, which may look at several bands side by side.
        in_threads: a `map` in this process, which may choose among several parts side by side:
            documents that no chain of shared keys connects (`parts`).

    Returns:
        row int32, that of `documents`; doc_id, source, kept_doc_id, kept_source string; similarity
        float64; method string: one row a document that goes, in the total order.

    Raises:
        ValueError: threshold out of range, a doc_id in two rows, sets that were not asked for, or
            2^31 documents and more.
    """
    if not 0.0 < threshold <= 1.0:
        raise ValueError(f"threshold is {threshold}. Try: above 0, at most 1; 0.8 is usual")
    if documents.num_rows >= 1 << 31:
        raise ValueError(f"{documents.num_rows:,} documents. Try: fewer than 2^31, by `scope`")
    order = _total_order(documents)
    scopes = _scopes(documents["scope"], order)
    values = {name: _halves(documents[name]) for name in ("text_hash", *exact_by)}
    first = _first_alike(values, order, scopes)
    is_original = first == np.arange(len(first), dtype=np.int32)
    originals = np.flatnonzero(is_original).astype(np.int32)
    rows = order[originals]
    scopes = scopes if scopes is None else scopes[originals]
    sure = _sure_groups(values, rows, scopes) if exact_by else []
    near = _near_groups(keys, rows, scopes, documents["n_shingles"].to_numpy()[rows] > 0, in_order)
    n_exact, n_sure = (sum(n_groups for _, _, n_groups in each) for each in (sure[:1], sure))
    near[:0] = sure
    meeting, members, buckets, n_buckets = _number(len(originals), near)
    kinds = np.array([n_exact, n_sure - n_exact, n_buckets - n_sure])
    in_sets = np.arange(len(meeting))
    vectors, clusters = np.empty((0, 1), np.float32), np.empty(0, np.int32)
    if meaning is not None:  # whoever shares no key is compared as well
        in_sets, members = meeting, meeting[members]
        meeting = np.arange(len(originals), dtype=np.int32)
        vectors, clusters = _meant(meaning, rows, scopes)
    partner = np.where(is_original, np.int32(-1), first)
    settled, alike, are_cosines = np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_)
    if len(meeting):
        of = np.full(len(first), -1, np.int32)
        of[originals[meeting]] = np.arange(len(meeting))
        of = of[first]
        settled = np.flatnonzero(of >= 0)
        hashes, starts, ends = _sets_of(shingle_sets, rows[meeting], in_sets)
        offsets, of_member = by_member(members, buckets, len(meeting))
        repeated, alike, are_cosines = settle_parts(
            of[settled],
            hashes,
            starts,
            ends,
            offsets,
            of_member,
            kinds,
            threshold,
            _CROWDED,
            vectors,
            clusters,
            max_cosine,
            in_threads,
        )
        partner[settled] = np.where(repeated < 0, -1, originals[meeting][repeated])
    gone = np.flatnonzero(partner >= 0)
    similarity, is_semantic = np.ones(len(order)), np.zeros(len(order), np.bool_)
    similarity[settled], is_semantic[settled] = alike, are_cosines
    rows, kept = order[gone], order[partner[gone]]
    return _table(documents, rows, kept, similarity[gone], is_semantic[gone], values)


def distinct(documents: pa.Table, exact_by: Sequence[str] = ()) -> tuple[np.ndarray, np.ndarray]:
    """The documents that `find_duplicates` takes for different ones before it compares any.

    Returns:
        int32[k], rows of `documents` in the total order, the first of those that are equal in
        scope, text and each column of `exact_by`; int32[n], where in them a row's own first is.
    """
    order = _total_order(documents)
    values = {name: _halves(documents[name]) for name in ("text_hash", *exact_by)}
    first = _first_alike(values, order, _scopes(documents["scope"], order))
    is_original = first == np.arange(len(first), dtype=np.int32)
    place_of = np.empty(len(order), np.int32)
    place_of[order] = (np.cumsum(is_original, dtype=np.int32) - 1)[first]
    return order[is_original], place_of


def _total_order(documents: pa.Table) -> np.ndarray:
    """Rows in the order that decides who stays, int32[n]; null qualities come last."""
    ids = documents["doc_id"]
    n = len(ids)
    if n < 2 or pc.all(pc.less(ids.slice(0, n - 1), ids.slice(1))).as_py():
        order = np.arange(n, dtype=np.int32)
    else:
        order = pc.sort_indices(ids).to_numpy().astype(np.int32)
        in_order = ids.take(pa.array(order))
        is_twice = pc.equal(in_order.slice(0, n - 1), in_order.slice(1))
        if pc.any(is_twice).as_py():
            twice = in_order.slice(1).filter(is_twice).unique()
            raise ValueError(
                f"doc_id {twice[0].as_py()!r} stands in several rows ({len(twice)} such ids). "
                "Try: one row a document; ids are unique across sources"
            )
    priority = documents["priority"].to_numpy()[order]
    if documents["quality"].null_count == n:
        return order if (priority[1:] >= priority[:-1]).all() else _by(order, priority)
    quality = pc.fill_null(documents["quality"], -np.inf).to_numpy()[order]
    has_none = documents["quality"].is_null().to_numpy()[order]
    return _by(order, -quality, has_none, priority)


def _by(order: np.ndarray, *keys: np.ndarray) -> np.ndarray:
    """The order, sorted further: the last key counts most."""
    return order[np.lexsort(keys)]


def _scopes(column: pa.ChunkedArray, order: np.ndarray) -> np.ndarray | None:
    """A well-mixed number for each document's scope, uint64[n]; None where there is but one."""
    encoded = pc.dictionary_encode(column).unify_dictionaries()
    if not encoded.num_chunks or len(encoded.chunk(0).dictionary) < 2:
        return None
    chunks = [chunk.indices.to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
    return np.concatenate(chunks)[order].astype(np.uint64) * _PRIME


def _halves(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """The 16-byte values of a column as two uint64[n]; both are zero where there is none."""
    whole = pc.fill_null(column, bytes(16)).cast(pa.binary(16)) if column.null_count else column
    parts = []
    for chunk in whole.chunks:
        fixed = chunk if pa.types.is_fixed_size_binary(chunk.type) else chunk.cast(pa.binary(16))
        data = np.frombuffer(fixed.buffers()[1] or b"", np.uint64).reshape(-1, 2)
        parts.append(data[fixed.offset : fixed.offset + len(fixed)])
    both = parts[0] if len(parts) == 1 else np.concatenate([np.empty((0, 2), np.uint64), *parts])
    return both[:, 0], both[:, 1]


def _first_alike(
    values: dict[str, tuple[np.ndarray, np.ndarray]], order: np.ndarray, scopes: np.ndarray | None
) -> np.ndarray:
    """For each document in order the first that equals it in scope and all values, int32[n]."""
    (low, high), *others = values.values()
    rows: np.ndarray | None = order
    if others:
        rows, low, high = None, low[order], high[order]
        for each_low, each_high in others:
            low = (low ^ each_low[order]) * _PRIME
            high = (high + each_high[order]) * _PRIME
    members, groups, firsts = equal_keys(low, high, rows, scopes)
    first = np.arange(len(order), dtype=np.int32)
    first[members] = firsts[groups]
    return first


def _sure_groups(
    values: dict[str, tuple[np.ndarray, np.ndarray]], rows: np.ndarray, scopes: np.ndarray | None
) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """(members, group of each, how many groups) of originals that are equal in one value."""
    found = []
    for low, high in values.values():
        given = np.flatnonzero((low[rows] | high[rows]) != 0).astype(np.int32)
        shift = scopes if scopes is None else scopes[given]
        members, groups, firsts = equal_keys(low, high, rows[given], shift)
        found.append((given[members], groups, len(firsts)))
    return found


def _near_groups(
    keys: Sequence[np.ndarray],
    rows: np.ndarray,
    scopes: np.ndarray | None,
    has_shingles: np.ndarray,
    in_order: Map,
) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """(members, group of each, how many groups) of originals that share a key, for each band."""
    banded = None
    if not has_shingles.all():
        banded = np.flatnonzero(has_shingles).astype(np.int32)
        rows, scopes = rows[banded], scopes if scopes is None else scopes[banded]
    all_rows = len(rows) == len(keys[0]) and bool((rows[1:] > rows[:-1]).all())

    of_band = partial(_groups_of_band, None if all_rows else rows, scopes, banded)
    return list(in_order(of_band, map(np.asarray, keys)))


def _groups_of_band(
    rows: np.ndarray | None,
    scopes: np.ndarray | None,
    banded: np.ndarray | None,
    band: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, int]:
    members, groups, firsts = equal_keys(band, None, rows, scopes)
    return members if banded is None else banded[members], groups, len(firsts)


def _number(
    n: int, found: list[tuple[np.ndarray, np.ndarray, int]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """The originals that meet others, int32[m]; their numbers in that list and their buckets,
    numbered through, int32[k] each; how many buckets there are."""
    meets = np.zeros(n, np.bool_)
    for members, _, _ in found:
        meets[members] = True
    number = np.cumsum(meets, dtype=np.int32) - np.int32(1)
    numbers, buckets, n_buckets = [np.empty(0, np.int32)], [np.empty(0, np.int32)], 0
    while found:  # each band's pairs go as they are taken over
        members, groups, n_groups = found.pop(0)
        numbers.append(number[members])
        buckets.append(groups + np.int32(n_buckets))
        n_buckets += n_groups
    meeting = np.flatnonzero(meets).astype(np.int32)
    return meeting, np.concatenate(numbers), np.concatenate(buckets), n_buckets


def _sets_of(
    shingle_sets: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    rows: np.ndarray,
    asked: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shingle hashes, and where each row's begin and end; empty for those that are not asked."""
    by_row = asked[np.argsort(rows[asked])]
    starts, ends = np.zeros((2, len(rows)), np.int64)
    if not len(asked):
        return np.empty(0, np.uint64), starts, ends
    hashes, offsets = shingle_sets(rows[by_row])
    if len(offsets) != len(by_row) + 1:
        raise ValueError(
            f"shingle_sets() gave {len(offsets) - 1} sets for {len(by_row)} rows. "
            "Try: one set for each row asked for, in that order"
        )
    starts[by_row], ends[by_row] = offsets[:-1], offsets[1:]
    return hashes, starts, ends


def _meant(
    meaning: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    rows: np.ndarray,
    scopes: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors float32[n, d] and clusters int32[n], those of one scope apart from another's."""
    vectors, clusters = meaning(rows)
    if len(vectors) != len(rows) or len(clusters) != len(rows):
        raise ValueError(
            f"meaning() gave {len(vectors)} vectors and {len(clusters)} clusters for {len(rows)} "
            "rows. Try: one of each for each row asked for, in that order"
        )
    if scopes is not None and len(rows):
        apart = np.unique(scopes, return_inverse=True)[1] * (int(clusters.max()) + 1)
        clusters = np.unique(apart + clusters, return_inverse=True)[1]
    return np.ascontiguousarray(vectors, np.float32), clusters.astype(np.int32)


def _table(
    documents: pa.Table,
    gone: np.ndarray,
    kept: np.ndarray,
    similarity: np.ndarray,
    is_semantic: np.ndarray,
    values: dict[str, tuple[np.ndarray, np.ndarray]],
) -> pa.Table:
    """Name the rows; the method is the first in which a pair is equal, else as they were found."""
    names = ["near", *reversed(values)]
    method = np.where(is_semantic, np.int32(len(names)), np.int32(0))
    for number, name in enumerate(names[1:], start=1):
        low, high = values[name]
        alike = np.flatnonzero(low[gone] == low[kept])
        left, right = gone[alike], kept[alike]
        is_equal = (high[left] == high[right]) & ((low[left] | high[left]) != 0)
        method[alike[is_equal]] = number
    methods = pa.DictionaryArray.from_arrays(method, [*names[:-1], "exact", "semantic"])
    leaving, staying = (
        documents.select(["doc_id", "source"]).take(pa.array(rows)) for rows in (gone, kept)
    )
    columns = [
        gone,
        *(each.cast(pa.string()) for each in (*leaving.columns, *staying.columns)),
        np.where(method == len(names) - 1, 1.0, similarity),
        methods.cast(pa.string()),
    ]
    return pa.table(dict(zip(FOUND.names, columns, strict=True)), schema=FOUND)
