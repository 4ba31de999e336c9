"""The greedy choice among dialogues, as a kernel: each in its order against those kept."""

import numpy as np

from llm_data_assets.dedup.similarity import jaccard
from llm_data_assets.dedup.vectors import count_ones
from llm_data_assets.kernel import allocating, kernel

KEPT, EXACT, NEAR, ROUGE = range(4)
_BITS = 64


@allocating
def settle_dialogues(  # type: ignore[no-untyped-def]
    first, values, value_starts, bucket_offsets, buckets, n_buckets, near,
    tokens, elements, starts, n_tokens, n_elements, rouge,
):  # fmt: skip
    """Decide about dialogues in their order.

    Args:
        first: int64[n], the first dialogue of the same text.
        values, value_starts: uint64[...] and int64[n + 1], sorted shingle hashes.
        bucket_offsets, buckets, n_buckets: int64[n + 1] and int32[...], the buckets of each.
        near: Jaccard similarity from which a dialogue of a shared bucket goes.
        tokens, elements, starts: int32[...] twice and int64[n + 1]; the words of each question in
            order, and as a multiset, the rarest first.
        rouge: ROUGE-L F above which a dialogue goes.

    Returns:
        partner int64[n] (-1 where it stays), similarity float64[n], method int8[n].
    """
    n = len(first)
    partner = np.full(n, -1, np.int64)
    similarity = np.zeros(n)
    method = np.zeros(n, np.int8)
    bucket_head = np.full(n_buckets, -1, np.int64)
    bucket_next = np.empty(len(buckets), np.int64)
    bucket_owner = np.empty(len(buckets), np.int64)
    # An element's kept questions, side by side: whose, words from here on, words in all.
    post_starts = np.zeros(n_elements + 1, np.int64)
    for element in elements:
        post_starts[element + 1] += 1
    for element in range(n_elements):
        post_starts[element + 1] += post_starts[element]
    post_ends = post_starts.copy()
    post_owner = np.empty(len(elements), np.int32)
    post_left = np.empty(len(elements), np.int32)
    post_length = np.empty(len(elements), np.int32)
    post_bits = np.empty(len(elements), np.uint64)
    seen = np.full(n, -1, np.int64)
    met = np.full(n, -1, np.int64)
    slot = np.full(n_tokens, -1, np.int64)
    for at in range(n):
        original = first[at]
        if original < at:
            # A copy goes where its original stays, else as its original went.
            if partner[original] < 0:
                partner[at], similarity[at], method[at] = original, 1.0, EXACT
            else:
                partner[at], similarity[at] = partner[original], similarity[original]
                method[at] = method[original]
            continue
        mine = values[value_starts[at] : value_starts[at + 1]]
        best, best_similarity = -1, 0.0
        for i in range(bucket_offsets[at], bucket_offsets[at + 1]):
            link = bucket_head[buckets[i]]
            while link >= 0:
                kept = bucket_owner[link]
                link = bucket_next[link]
                if seen[kept] == at:
                    continue
                seen[kept] = at
                found = jaccard(mine, values[value_starts[kept] : value_starts[kept + 1]], near)
                if found >= near and (
                    found > best_similarity or (found == best_similarity and kept < best)
                ):
                    best, best_similarity = kept, found
        if best >= 0:
            partner[at], similarity[at], method[at] = best, best_similarity, NEAR
            continue
        start, stop = starts[at], starts[at + 1]
        length = stop - start
        # A question alike has at least t / (2 - t) of these words, so one of the rarest others.
        prefix = length - int(np.ceil(rouge * length / (2 - rouge) - 1e-9)) + 1
        prefix = min(max(prefix, 0), length)
        bits = bitmap(elements[start:stop])
        if length and rouge < 1:
            masks = match_masks(tokens[start:stop], slot)
            for i in range(start, start + prefix):
                for post in range(post_starts[elements[i]], post_ends[elements[i]]):
                    # The rarest word they share: all others stand after it on both sides.
                    both = length + post_length[post]
                    if 2 * min(stop - i, post_left[post]) <= rouge * both:
                        continue
                    # Each bit that one has alone is a word that one has alone.
                    if both - count_ones(bits ^ post_bits[post]) <= rouge * both:
                        continue
                    kept = post_owner[post]
                    if met[kept] == at:
                        continue
                    met[kept] = at
                    theirs_at = starts[kept + 1] - post_left[post]
                    if not share_enough(elements, i, stop, theirs_at, starts[kept + 1],
                                        rouge * both / 2):  # fmt: skip
                        continue
                    common = lcs(masks, length, tokens[starts[kept] : starts[kept + 1]], slot)
                    found = 2.0 * common / both
                    if found > rouge and (
                        found > best_similarity or (found == best_similarity and kept < best)
                    ):
                        best, best_similarity = kept, found
            for i in range(start, stop):
                slot[tokens[i]] = -1
        if best >= 0:
            partner[at], similarity[at], method[at] = best, best_similarity, ROUGE
            continue
        for i in range(bucket_offsets[at], bucket_offsets[at + 1]):
            bucket_next[i], bucket_owner[i] = bucket_head[buckets[i]], at
            bucket_head[buckets[i]] = i
        for i in range(start, start + prefix):
            post = post_ends[elements[i]]
            post_owner[post], post_left[post], post_length[post] = at, stop - i, length
            post_bits[post] = bits
            post_ends[elements[i]] += 1
    return partner, similarity, method


@kernel
def bitmap(elements):  # type: ignore[no-untyped-def]
    """uint64 in which each element has set a bit (bitmap filter, Sandes et al. 2019)."""
    bits = np.uint64(0)
    for element in elements:
        # Knuth's multiplicative hash: neighbours in rank come to stand apart.
        place = (np.uint64(element) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(58)
        bits |= np.uint64(1) << place
    return bits


@kernel
def share_enough(elements, a, a_end, b, b_end, more_than):  # type: ignore[no-untyped-def]
    """Whether two ascending runs of elements have more than so many in common."""
    common = 0
    while a < a_end and b < b_end:
        if common + min(a_end - a, b_end - b) <= more_than:
            return False
        if elements[a] == elements[b]:
            common += 1
            a += 1
            b += 1
        elif elements[a] < elements[b]:
            a += 1
        else:
            b += 1
    return common > more_than


@allocating
def match_masks(tokens, slot):  # type: ignore[no-untyped-def]
    """uint64[distinct, words]: where each token stands; `slot` is set to its row."""
    n_words = (len(tokens) + _BITS - 1) // _BITS
    masks = np.zeros((len(tokens), n_words), np.uint64)
    distinct = 0
    for i in range(len(tokens)):
        if slot[tokens[i]] < 0:
            slot[tokens[i]] = distinct
            distinct += 1
        masks[slot[tokens[i]], i // _BITS] |= np.uint64(1) << np.uint64(i % _BITS)
    return masks


@allocating
def lcs(masks, length, tokens, slot):  # type: ignore[no-untyped-def]
    """Length of the longest common subsequence, 64 columns at once (Hyyrö 2004, algorithm 4)."""
    n_words = masks.shape[1]
    columns = np.full(n_words, np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64)
    for token in tokens:
        row = slot[token]
        if row < 0:
            continue
        carry = np.uint64(0)
        for word in range(n_words):
            before = columns[word]
            hit = before & masks[row, word]
            total = before + hit
            over = np.uint64(total < before)
            total += carry
            over |= np.uint64(total < carry)
            columns[word] = total | (before & ~masks[row, word])
            carry = over
    zeros = 0
    for i in range(length):
        if not (columns[i // _BITS] >> np.uint64(i % _BITS)) & np.uint64(1):
            zeros += 1
    return zeros
