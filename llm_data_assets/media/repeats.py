"""Pairs that repeat another: by address, by perceptual hash, by caption."""

import itertools
import re
from collections.abc import Collection
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.dedup.exact import text_hashes, value_hashes
from llm_data_assets.media.kernels import CAPTION, HASH_BITS, KEPT, PHASH, URL, settle_pairs

METHODS = {URL: "url", PHASH: "phash", CAPTION: "caption"}
_DEFAULT_PORTS = {"http": 80, "https": 443}
_BATCH_ROWS = 1 << 16
_HEX = re.compile(r"(?:0x)?([0-9a-fA-F]+)")


def parse_phash(value: object) -> tuple[str | None, str]:
    """(16 hex digits in lower case, "none"), or (None, why not); nothing given is no fault.

    Example:
        >>> parse_phash("A5F03C96A5F03C96")
        ('a5f03c96a5f03c96', 'none')
        >>> parse_phash("a1b2")
        (None, 'other_size')
    """
    if value is None or value == "":
        return None, "none"
    found = _HEX.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None, "not_hex"
    if len(found[1]) != HASH_BITS // 4:
        return None, "other_size"
    return found[1].lower(), "none"


def address_key(url: str) -> str:
    """What two addresses of one file share: the scheme's security, case of the host, the default
    port and the fragment do not matter; path and query do.

    Example:
        >>> address_key("HTTP://Example.org:80/A.jpg?w=1#top")
        '//example.org/A.jpg?w=1'
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:  # a bracket that opens no IPv6 address, a port that is no number
        return url.strip()
    if parts.scheme not in _DEFAULT_PORTS:
        return url.strip()
    user = parts.netloc.rpartition("@")
    place = f"{user[0]}{user[1]}{host}"
    place += f":{port}" if port not in (None, _DEFAULT_PORTS[parts.scheme]) else ""
    return f"//{place}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")


def find_repeats(
    rows: pa.Table,
    order: np.ndarray,
    *,
    url: bool,
    phash_bits: int | None,
    captions_of: Collection[str],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose, in `order`, the pairs that go: each repeats a *kept* one of its kind before it.

    By address first; then by the nearest hash that differs in at most `phash_bits` of 64 bits
    (found by parts: of k + 1 parts of two hashes that differ in k bits one is equal, so none is
    missed); then by caption, equal up to case, layout and punctuation.

    Args:
        rows: `kind`, `url`, `phash` (16 hex digits or null) and `caption`, all string.
        order: int64[n], rows in the order that decides who stays.

    Returns:
        partner int64[n], the row it repeats, -1 where it stays; similarity float64[n], the share of
        bits that agree; method int8[n], a key of METHODS, 0 where it stays.
    """
    rows = rows.take(pa.array(order)).combine_chunks()
    n = rows.num_rows
    parts = [
        _compared(batch, url, phash_bits is not None, captions_of)
        for batch in (rows.to_batches(max_chunksize=_BATCH_ROWS) or [_empty(rows)])
    ]
    addresses, hashes, hashed, captions = zip(*parts, strict=True)
    numbers = np.concatenate(hashes)
    chunks, n_chunks = _chunks(numbers, phash_bits or 0)
    kinds = rows["kind"].combine_chunks().dictionary_encode().indices.to_numpy()
    partner, bits, method = settle_pairs(
        _groups(pa.chunked_array(addresses)), numbers, np.concatenate(hashed),
        kinds.astype(np.int8), chunks, n_chunks, phash_bits or 0,
        _groups(pa.chunked_array(captions)),
    )  # fmt: skip
    result = np.full(n, -1, np.int64), np.zeros(n), np.zeros(n, np.int8)
    result[0][order] = np.where(partner >= 0, order[partner], -1)
    result[1][order] = np.where(partner >= 0, 1 - bits / HASH_BITS, 0)
    result[2][order] = method
    return result


def _compared(
    rows: pa.RecordBatch, url: bool, phash: bool, captions_of: Collection[str]
) -> tuple[pa.Array, np.ndarray, np.ndarray, pa.Array]:
    """What pairs are compared by, some at a time: Python's strings take ten times Arrow's memory.

    Returns:
        keys of addresses (binary, null where none), hashes uint64[n], whether there is one bool[n],
        keys of captions (binary, null where they are not compared).
    """
    kinds = rows["kind"]
    given = rows["url"].to_pylist() if url else [None] * rows.num_rows
    addresses = [
        value and f"{kind} {address_key(value)}"
        for kind, value in zip(kinds.to_pylist(), given, strict=True)
    ]
    digits = rows["phash"].to_pylist() if phash else [None] * rows.num_rows
    digests = text_hashes(rows["caption"].cast(pa.string())).cast(pa.binary())
    keys = pc.binary_join_element_wise(kinds.cast(pa.binary()), digests, b" ")
    said = pc.is_in(kinds, pa.array(sorted(captions_of), pa.string()))
    return (
        value_hashes(pa.array(addresses, pa.string())),
        np.array([int(value or "0", 16) for value in digits], np.uint64),
        np.array([value is not None for value in digits], np.bool_),
        pc.if_else(said, keys, pa.scalar(None, keys.type)),
    )


def _empty(rows: pa.Table) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], rows.schema)


def _groups(keys: pa.ChunkedArray) -> np.ndarray:
    """int64[n]: a number for each distinct key, -1 for null."""
    codes = keys.combine_chunks().dictionary_encode().indices
    return codes.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def _chunks(hashes: np.ndarray, distance: int) -> tuple[np.ndarray, int]:
    """int64[n, distance + 1] numbers of the parts of each hash, and how many numbers there are."""
    edges = np.linspace(0, HASH_BITS, distance + 2).astype(int)
    parts = np.empty((len(hashes), distance + 1), np.int64)
    for part, (low, high) in enumerate(itertools.pairwise(edges)):
        mask = np.uint64((1 << int(high - low)) - 1)
        values = (hashes >> np.uint64(low)) & mask
        parts[:, part] = np.unique(values, return_inverse=True)[1]
    return parts, int(parts.max(initial=-1)) + 1


__all__ = ["KEPT", "METHODS", "address_key", "find_repeats", "parse_phash"]
