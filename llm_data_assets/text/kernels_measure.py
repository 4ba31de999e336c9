"""All signals of a chunk of documents, one document after the other."""

import numpy as np

from llm_data_assets.kernel import allocating, kernel
from llm_data_assets.text.kernels import BY_SPACE, GIVEN, NO, ZERO, decode, find_words, scan
from llm_data_assets.text.kernels_c4 import may_hold_phrase, measure_c4
from llm_data_assets.text.kernels_dclm import removed_words, word_parts
from llm_data_assets.text.kernels_fineweb import measure_fineweb
from llm_data_assets.text.kernels_lines import (
    measure_lines,
    measure_lines_datatrove,
    measure_lines_raw,
    share,
)
from llm_data_assets.text.kernels_ngrams import (
    DUP_ALL,
    DUP_COVERED,
    DUP_JOINED,
    DUP_SUMMED,
    DUP_WALKED,
    TOP_COUNT,
    TOP_FIRST,
    TOP_LONGEST,
    TOP_PLACE,
    count_inside,
    measure_ngrams,
)
from llm_data_assets.text.kernels_numbers import NORMAL, NORMAL_LENGTH, number_words
from llm_data_assets.text.kernels_tokens import find_tokens
from llm_data_assets.text.kernels_words import (
    count_marks,
    measure_characters,
    measure_words,
    measure_words_datatrove,
)

# Where each group of signals begins in a row; `text.signals` names them in this order.
CHARACTERS, WORDS, LINES, NGRAMS = 0, 10, 19, 38
SPLIT, DOLMA, NEMO = 47, 58, 71
DATATROVE, FINEWEB_AS_IS, C4_T5, FINEWEB, C4_DCLM, DCLM = 87, 109, 113, 116, 123, 126
COLUMNS = 136

# Which groups are measured: bits. The first is what rule sets of no toolkit need.
# OF_C4_TOKENS: tokens, where `tokens` says so, of the lines that FineWeb's C4 keeps.
OWN, OF_DATATROVE, OF_SPLIT, OF_DCLM, OF_C4, OF_FINEWEB, OF_C4_TOKENS = 1, 2, 4, 8, 16, 32, 64
EVERYTHING = 127


@allocating
def measure_texts(data, offsets, modes, given, stops, abbreviations, tables, groups, tokens, out):  # type: ignore[no-untyped-def]
    """Measure every text of a chunk.

    Args:
        data, offsets: uint8[...] and int64[n + 1]: UTF-8.
        modes: uint8[n], how the words of each text are found (text.kernels).
        given: begins int32[...], ends int32[...] and offsets int64[n + 1] of words that are GIVEN.
        stops: words uint64[...] of Gopher's list; those of the text's language, uint64[...], with
            offsets int64[n + 1, 2] of each text's begin and end.
        abbreviations: uint64[...], see `measure_c4`.
        tables: records and lower case (text.characters).
        groups: bits; what is not asked for stays 0.
        tokens: uint16[n], how spaCy cuts the words of each text, which are datatrove's, in bits of
            `kernels_tokens`; 0 where datatrove's words are those found here.
        out: float64[n, COLUMNS].
    """
    records, lower = tables
    given_at = given[2]
    stop_words, language_stops, language_at = stops
    longest = 0
    for d in range(len(offsets) - 1):
        longest = max(longest, offsets[d + 1] - offsets[d])
    points = np.empty(longest + 1, np.uint32)
    narrow = np.empty(longest + 8, np.uint8)
    left = np.empty(longest + 2, np.uint32)
    starts = np.empty(2 * longest + 2, np.int32)
    ends = np.empty(2 * longest + 2, np.int32)
    noted_at = starts[longest + 1 :]  # what `scan` notes lies behind the places of words
    others = ends[longest + 1 :]
    token_starts = np.empty(2 * longest + 4, np.int32)
    token_ends = np.empty(2 * longest + 4, np.int32)
    tokens_before = np.empty(longest // 2 + 2, np.int32)
    breaks = np.empty(1024, np.int32)
    before = np.empty((1024, 2), np.int32)
    line_arrays = _line_space(np.int64(1026))
    words = _word_space(np.int64(1024))
    top = np.zeros((4, 3), np.float64)
    dup = np.zeros((5, 6), np.float64)
    marks = np.zeros(4, np.int64)
    normalise = (groups & (OWN | OF_SPLIT)) != 0
    for d in range(len(offsets) - 1):
        row = out[d]
        n = decode(data, offsets[d], offsets[d + 1], points, narrow)
        stops_here = language_stops[language_at[d, 0] : language_at[d, 1]]
        m, n_noted, n_breaks = scan(
            points, n, records, starts, ends, others, noted_at, breaks, before
        )
        if n_breaks > len(breaks):
            breaks = np.empty(2 * n_breaks, np.int32)
            before = np.empty((2 * n_breaks, 2), np.int32)
            line_arrays = _line_space(2 * n_breaks + 2)
            scan(points, n, records, starts, ends, others, noted_at, breaks, before)
        lines = (line_arrays[0], line_arrays[1], line_arrays[2], breaks[:n_breaks])
        noted = noted_at[:n_noted]
        if modes[d] == GIVEN:
            m = given_at[d + 1] - given_at[d]
            # A loop: to assign a slice compiles what it would say of another shape, text and all.
            for w in range(m):
                starts[w] = given[0][given_at[d] + w]
                ends[w] = given[1][given_at[d] + w]
        elif modes[d] != BY_SPACE:
            m = find_words(points, n, records, modes[d], starts, ends)
        if len(words[0]) < m + 1:
            words = _word_space(2 * m)
        table, space, normal_tokens, lengths = words[1], words[2], words[3], words[4]
        count_marks(points, noted, marks)
        if normalise or (groups & OF_DATATROVE and not tokens[d]):
            distinct, normals = number_words(
                points, narrow, starts, ends, m, records, lower, stop_words, stops_here,
                normalise, table,
            )  # fmt: skip
        characters = 0
        if groups & (OWN | OF_SPLIT):
            characters = measure_words(
                table[1], distinct, normals, m, marks, space[5], row[WORDS:LINES], row[SPLIT:DOLMA]
            )
        if groups & OWN:
            measure_characters(points, n, records, table[2], table[3], row[CHARACTERS:WORDS])
            measure_lines(points, n, records, m, lines, row[LINES:NGRAMS])
            total = found = ZERO
            for w in range(m):
                number = table[0][w]
                if table[1][number, NORMAL_LENGTH]:
                    normal_tokens[found] = table[1][number, NORMAL]
                    lengths[found] = table[1][number, NORMAL_LENGTH]
                    total += lengths[found]
                    found += 1
            measure_ngrams(normal_tokens, lengths, found, space, top, dup)
            _covered(top, dup, total, row[NGRAMS:SPLIT])
        if groups & OF_SPLIT or (groups & OF_DATATROVE and not tokens[d]):
            _word_ngrams(table[0], starts, ends, m, lengths, space, top, dup)
        if groups & OF_SPLIT:
            measure_lines_raw(
                points, n, records, characters, lines, row[DOLMA:NEMO], row[NEMO:DATATROVE]
            )
            _split_ngrams(
                points, n, starts, ends, m, characters, top, dup, left,
                row[DOLMA + 4 : NEMO], row[NEMO + 7 : DATATROVE],
            )  # fmt: skip
        cuts = tokens[d]
        n_tokens = ZERO
        if cuts and groups & (OF_DATATROVE | OF_C4_TOKENS):
            n_tokens = find_tokens(
                points, (starts, ends, m, others), records, lower, abbreviations, cuts,
                token_starts, token_ends, tokens_before,
            )  # fmt: skip
        if groups & OF_C4:
            split = m
            if modes[d] != BY_SPACE:
                split = find_words(points, n, records, BY_SPACE, starts, ends)
            asked = cuts if groups & OF_C4_TOKENS else np.uint16(0)
            size, _, kept_tokens = measure_c4(
                points, records, lower, abbreviations, (starts, ends, split, noted, before),
                # A line without its citations is cut anew, behind the tokens of the text.
                (asked, tokens_before, token_starts[n_tokens:], token_ends[n_tokens:]),
                may_hold_phrase(data[offsets[d] : offsets[d + 1]]), lines, left,
                row[C4_T5:FINEWEB], row[FINEWEB:C4_DCLM], row[C4_DCLM:DCLM],
            )  # fmt: skip
            if asked and size:
                row[FINEWEB + 6] = share(_count_newlines(left, size), kept_tokens)
        if groups & OF_DATATROVE:
            if cuts:
                m = n_tokens
                if len(words[0]) < m + 1:
                    words = _word_space(2 * m)
                    table, space, lengths = words[1], words[2], words[4]
                distinct, normals = number_words(
                    points, narrow, token_starts, token_ends, m, records, lower, stop_words,
                    stops_here, NO, table,
                )  # fmt: skip
                _word_ngrams(table[0], token_starts, token_ends, m, lengths, space, top, dup)
            measure_words_datatrove(table[1], distinct, m, marks, row[DATATROVE : DATATROVE + 7])
            measure_lines_datatrove(points, n, records, lines, row[DATATROVE + 7 : DATATROVE + 13])
            _walked(m, n, top, dup, row[DATATROVE + 13 : FINEWEB_AS_IS])
            if groups & OF_FINEWEB:
                measure_fineweb(points, n, records, m, lines, row[FINEWEB_AS_IS:C4_T5])
        if groups & OF_DCLM:
            m = word_parts(points, n, records, starts, ends)
            if len(words[0]) < m + 1:
                words = _word_space(2 * m)
            table, space, lengths = words[1], words[2], words[4]
            distinct, normals = number_words(
                points, narrow, starts, ends, m, records, lower, stop_words, stops_here,
                NO, table,
            )  # fmt: skip
            total = _word_ngrams(table[0], starts, ends, m, lengths, space, top, dup)
            _covered(top, dup, total, row[DCLM : COLUMNS - 1])
            row[COLUMNS - 1] = removed_words(points, n, records, lines)


@allocating
def _line_space(n):  # type: ignore[no-untyped-def]
    """Arrays for n lines: begins, ends, and the table of `repeated`."""
    table = (
        np.empty(n, np.uint64),
        np.empty(4 * n + 32, np.int32),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
    )
    return np.empty(n, np.int32), np.empty(n, np.int32), table


@allocating
def _word_space(least):  # type: ignore[no-untyped-def]
    """Arrays for `least` words: a size, the table of `number_words`, the arrays of
    `measure_ngrams`, and the numbers and lengths of words."""
    n = max(least, 4096)
    keys = np.empty(n, np.uint64)
    slots = np.empty(4 * n + 32, np.int32)
    counts = np.empty(n, np.int32)
    table = (
        np.empty(n, np.int32),
        np.empty((n, 5), np.int64),
        keys,
        slots,
        np.empty(n, np.uint64),
        np.empty(4 * n + 32, np.int32),
    )
    space = (
        np.empty(n + 1, np.int64),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        keys,
        slots,
        counts,
        np.empty(n, np.int32),
        np.empty(n, np.uint8),
    )
    return np.empty(n, np.uint8), table, space, np.empty(n, np.int32), np.empty(n, np.int32)


@kernel
def _word_ngrams(numbers, starts, ends, m, lengths, space, top, dup):  # type: ignore[no-untyped-def]
    """`measure_ngrams` of words as they stand; returns their characters together."""
    total = 0
    for w in range(m):
        lengths[w] = ends[w] - starts[w]
        total += lengths[w]
    measure_ngrams(numbers, lengths, m, space, top, dup)
    return total


@kernel
def _count_newlines(points, n):  # type: ignore[no-untyped-def]
    newlines = 0
    for i in range(n):
        newlines += points[i] == 0x0A
    return newlines


@kernel
def _covered(top, dup, total, row):  # type: ignore[no-untyped-def]
    """RedPajama-v2 and DCLM: characters of all occurrences, overlaps once, over those of words."""
    for k in range(3):
        row[k] = min(1.0, share(top[TOP_LONGEST, k], total))
    for k in range(6):
        row[3 + k] = share(dup[DUP_COVERED, k], total)


@kernel
def _walked(m, n, top, dup, row):  # type: ignore[no-untyped-def]
    """datatrove 0.10: second and later occurrences over all characters of the text."""
    for k in range(3):
        spaces = (k + 1) * top[TOP_COUNT, k]
        row[k] = share(top[TOP_FIRST, k] + spaces, n)
    for k in range(6):
        row[3 + k] = share(dup[DUP_WALKED, k], n)


@kernel
def _split_ngrams(points, n, starts, ends, m, characters, top, dup, left, dolma, nemo):  # type: ignore[no-untyped-def]
    """Dolma 1.2: all occurrences, each in full. NeMo Curator 1.4: what removing them would save."""
    for k in range(3):
        dolma[k] = share(top[TOP_FIRST, k], characters)
        if m >= k + 2:
            found, size = count_inside(
                points, n, starts, ends, np.int64(top[TOP_PLACE, k]), k + 2, left
            )
            nemo[k] = share(found * size, n)
        else:
            nemo[k] = 1.0
    for k in range(6):
        dolma[3 + k] = share(dup[DUP_SUMMED, k], dup[DUP_ALL, k])
        nemo[3 + k] = share(dup[DUP_JOINED, k], n) if m >= k + 5 else 1.0
