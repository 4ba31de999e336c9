"""Words and sentences by script: white space where a script has it, segmentation where not."""

import re

import rjieba

_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
# Thai, Lao, Burmese, Khmer, kana, Chinese characters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)
_TOKEN = re.compile(r"\S+")
_UNSPACED_LANGUAGES = frozenset({"zh", "ja", "th", "lo", "km", "my", "wuu", "yue"})
# A full stop, question or exclamation mark, ASCII or full-width, ends a sentence.
_SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]*")


def words(text: str, language: str) -> list[str]:
    """Words of a text: split at white space; Chinese by rjieba, other unspaced scripts by
    character.
    """
    if language not in _UNSPACED_LANGUAGES or not _UNSPACED.search(text):
        return text.split()
    if _CHINESE.search(text) and language != "ja":
        return [word for word in rjieba.cut(text) if not word.isspace()]
    return [
        part
        for token in _TOKEN.findall(text)
        for part in ([*token] if _UNSPACED.search(token) else [token])
    ]


def count_sentences(text: str) -> int:
    """Sentences as RedPajama-v2 counts them, full-width punctuation included."""
    return sum(1 for found in _SENTENCE.finditer(text) if found.group().strip())
