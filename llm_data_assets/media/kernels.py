"""The greedy choice among pairs, as a kernel: each in its order against those kept."""

import numpy as np

from llm_data_assets.dedup.vectors import count_ones
from llm_data_assets.kernel import allocating

KEPT, URL, PHASH, CAPTION = range(4)
HASH_BITS = 64


@allocating
def settle_pairs(urls, hashes, hashed, kinds, chunks, n_chunks, distance, captions):  # type: ignore[no-untyped-def]
    """Decide about pairs in their order.

    Args:
        urls, captions: int64[n], groups of what is equal, from 0; -1 takes no part.
        hashes, hashed: uint64[n] and bool[n]; hashes are compared within `kinds`, int8[n].
        chunks, n_chunks: int64[n, k] and how many there are; the value of each part of a hash, from
            0. Two hashes that differ in fewer than k bits share one.
        distance: bits in which two hashes may differ, below k.

    Returns:
        partner int64[n] (-1 where it stays), bits int64[n] that differ, method int8[n].
    """
    n, k = chunks.shape
    partner = np.full(n, -1, np.int64)
    bits = np.zeros(n, np.int64)
    method = np.zeros(n, np.int8)
    kept_url = np.full(urls.max() + 1 if n else 0, -1, np.int64)
    kept_caption = np.full(captions.max() + 1 if n else 0, -1, np.int64)
    head = np.full((k, n_chunks), -1, np.int64)
    link = np.full((k, n), -1, np.int64)
    for at in range(n):
        if urls[at] >= 0 and kept_url[urls[at]] >= 0:
            partner[at], method[at] = kept_url[urls[at]], URL
            continue
        if hashed[at]:
            best, fewest = -1, distance + 1
            for part in range(k):
                other = head[part, chunks[at, part]]
                while other >= 0:
                    if kinds[other] == kinds[at]:
                        differ = count_ones(hashes[at] ^ hashes[other])
                        if differ < fewest or (differ == fewest and differ <= distance
                                               and other < best):  # fmt: skip
                            best, fewest = other, differ
                    other = link[part, other]
            if best >= 0:
                partner[at], bits[at], method[at] = best, fewest, PHASH
                continue
        if captions[at] >= 0 and kept_caption[captions[at]] >= 0:
            partner[at], method[at] = kept_caption[captions[at]], CAPTION
            continue
        if urls[at] >= 0:
            kept_url[urls[at]] = at
        if captions[at] >= 0:
            kept_caption[captions[at]] = at
        if hashed[at]:
            for part in range(k):
                link[part, at] = head[part, chunks[at, part]]
                head[part, chunks[at, part]] = at
    return partner, bits, method
