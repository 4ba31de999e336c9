"""The language of lines, by the arithmetic of fastText 0.9.2: the same 32 bits of every score.

fastText itself is the reference that tests hold this to. Most of its seventy microseconds a line go
into strings and maps of strings.
"""

import math

import numpy as np

from llm_data_assets.kernel import inlined, kernel

DIMENSION = 16
NONE = np.uint16(0xFFFF)  # of `LanguageModel.subwords`
_LONGEST = 4  # characters of a subword; the shortest has two
_BASIS, _PRIME = np.uint32(2166136261), np.uint32(16777619)  # FNV-1a
_BEGIN, _END = np.uint8(ord("<")), np.uint8(ord(">"))
_BLOCK = 64  # bytes that are counted at once
_LEAST = 1e-5  # std_log adds it
_LOWEST = np.float32(math.log(_LEAST))
_LABEL = np.frombuffer(b"__label__", np.uint8)


@kernel
def find_languages(data, offsets, model, vector, word, nodes, scores, labels, likely):  # type: ignore[no-untyped-def]
    """Write the label of each line, and how likely it is.

    Args:
        data, offsets: uint8[...] and int64[n + 1]: UTF-8.
        model: `language_model.LanguageModel`.
        vector: float32[DIMENSION], word: uint8[longest line + 2], nodes: int32[2 * labels] and
            scores: float32[2 * labels], to work in.
        labels, likely: int32[n] and float32[n], filled in.
    """
    for line in range(len(labels)):
        _vector(data, offsets[line], offsets[line + 1], model, vector, word)
        labels[line], likely[line] = _likeliest(model, vector, nodes, scores)


@kernel
def copy_pieces(data, offsets, lengths, pieces, characters, out, out_offsets):  # type: ignore[no-untyped-def]
    """Copy pieces of each text, spread evenly from its begin to its end, with spaces between.

    Args:
        data, offsets: uint8[...] and int64[n + 1]: UTF-8.
        lengths: int64[n], of each text in characters.
        pieces, characters: how many, of so many each; a text of no more than both is copied whole.
        out: uint8[n * pieces * (4 * characters + 1)].
        out_offsets: int64[n + 1], filled in from the second.
    """
    to = out_offsets[0]
    for text in range(len(offsets) - 1):
        i, end = offsets[text], offsets[text + 1]
        n = lengths[text]
        is_ascii = n == end - i
        last, passed = n - characters, 0
        for piece in range(pieces if n > pieces * characters else 1):
            stop = end
            if n > pieces * characters:
                first = last * piece // max(1, pieces - 1)
                i = _character(data, i, end, first - passed, is_ascii)
                stop = _character(data, i, end, characters, is_ascii)
                passed = first + characters
            while i < stop:
                out[to] = data[i]
                to += 1
                i += 1
            out[to] = 0x20
            to += 1
        out_offsets[text + 1] = to


@kernel
def _character(data, i, end, n, is_ascii):  # type: ignore[no-untyped-def]
    """Where the character begins that stands n characters after the one at i."""
    if is_ascii:
        return i + n
    while i + _BLOCK <= end:
        there = 0
        for at in range(i, i + _BLOCK):
            there += _begins_character(data[at])
        if there > n:
            break
        n -= there
        i += _BLOCK
    while i < end and (n > 0 or not _begins_character(data[i])):
        n -= _begins_character(data[i])
        i += 1
    return i


@kernel
def place_words(words, offsets, table):  # type: ignore[no-untyped-def]
    """Fill the table of words (`LanguageModel.word_table`)."""
    for number in range(len(offsets) - 1):
        value = _BASIS
        for i in range(offsets[number], offsets[number + 1]):
            value = _hashed(value, words[i])
        slot = np.int64(value) & (len(table) - 1)
        while table[slot] >= 0:
            slot = (slot + 1) & (len(table) - 1)
        table[slot] = number


@kernel
def _vector(data, i, end, model, vector, word):  # type: ignore[no-untyped-def]
    """The mean of the vectors of a line's words, of their subwords, and of its end."""
    for d in range(DIMENSION):
        vector[d] = np.float32(0)
    n = 1
    while i < end:
        if _is_space(data[i]):
            i += 1
            continue
        start = i
        value = _BASIS
        word[0] = _BEGIN
        while i < end and not _is_space(data[i]):
            value = _hashed(value, data[i])
            word[i - start + 1] = data[i]
            i += 1
        size = i - start
        number = _number(
            data, start, size, value, model.words, model.word_offsets, model.word_table
        )
        if number == 0:  # the end of a line, spelled out: fastText reads no further
            break
        if _is_label(data, start, size):  # which fastText takes for what it should learn
            continue
        if number > 0:
            _add(vector, model.rows, number)
            n += 1
        word[size + 1] = _END
        n += _add_subwords(vector, model.rows, model.subwords, word, size + 2)
    _add(vector, model.rows, 0)
    share = np.float32(1.0 / n)
    for d in range(DIMENSION):
        vector[d] *= share


@kernel
def _add_subwords(vector, rows, subwords, word, size):  # type: ignore[no-untyped-def]
    """Add the vectors of runs of two to four characters; returns how many there were."""
    n = 0
    for start in range(size):
        if not _begins_character(word[start]):
            continue
        value = _BASIS
        i = start
        for characters in range(_LONGEST):
            if i == size:
                break
            value = _hashed(value, word[i])
            i += 1
            while i < size and not _begins_character(word[i]):
                value = _hashed(value, word[i])
                i += 1
            if characters > 0:
                row = subwords[value % np.uint32(len(subwords))]
                if row != NONE:
                    _add(vector, rows, row)
                    n += 1
    return n


@kernel
def _likeliest(model, vector, nodes, scores):  # type: ignore[no-untyped-def]
    """The label of the likeliest leaf of the tree, and how likely it is."""
    n_labels = len(model.output)
    label, best = -1, _LOWEST
    nodes[0], scores[0] = 2 * n_labels - 2, np.float32(0)
    waiting = 1
    while waiting > 0:
        waiting -= 1
        node, score = nodes[waiting], scores[waiting]
        if score < best:
            continue
        if model.left[node] < 0:
            if label < 0 or score > best:
                label, best = node, score
            continue
        x = np.float32(0)
        for d in range(DIMENSION):
            x += model.output[node - n_labels, d] * vector[d]
        right = np.float32(1) / (np.float32(1) + np.exp(-x))
        nodes[waiting], scores[waiting] = model.right[node], score + _log(right)
        nodes[waiting + 1] = model.left[node]
        scores[waiting + 1] = score + _log(np.float32(1.0 - right))
        waiting += 2
    return label, np.exp(best)


@kernel
def _number(data, start, size, value, words, offsets, table):  # type: ignore[no-untyped-def]
    """The number of a word, or -1."""
    slot = np.int64(value) & (len(table) - 1)
    while table[slot] >= 0:
        number = table[slot]
        first = offsets[number]
        if offsets[number + 1] - first == size:
            same = 0
            while same < size and words[first + same] == data[start + same]:
                same += 1
            if same == size:
                return np.int64(number)
        slot = (slot + 1) & (len(table) - 1)
    return np.int64(-1)


@inlined
def _add(vector, rows, row):  # type: ignore[no-untyped-def]
    for d in range(DIMENSION):
        vector[d] += rows[row, d]


@inlined
def _hashed(value, byte):  # type: ignore[no-untyped-def]
    """FNV-1a, of bytes that fastText takes for signed ones."""
    return np.uint32((value ^ np.uint32(np.int8(byte))) * _PRIME)


@inlined
def _log(x):  # type: ignore[no-untyped-def]
    return np.float32(math.log(np.float64(x) + _LEAST))


@inlined
def _is_space(byte):  # type: ignore[no-untyped-def]
    return byte == 0x20 or 0x09 <= byte <= 0x0D or byte == 0


@inlined
def _begins_character(byte):  # type: ignore[no-untyped-def]
    return byte & 0xC0 != 0x80


@inlined
def _is_label(data, start, size):  # type: ignore[no-untyped-def]
    if size < len(_LABEL):
        return False
    for i in range(len(_LABEL)):
        if data[start + i] != _LABEL[i]:
            return False
    return True
