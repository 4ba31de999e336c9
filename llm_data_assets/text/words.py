"""Words and sentences by script: white space where a script has it, segmentation where not."""

import re
import unicodedata

_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
# Thai, Lao, Burmese, Khmer, kana, Chinese characters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"
)
_TOKEN = re.compile(r"\S+")
UNSPACED_LANGUAGES = frozenset({"zh", "ja", "th", "lo", "km", "my", "wuu", "yue"})
_SCRIPTS = {
    "han": _CHINESE,
    "katakana": re.compile("[\u30a0-\u30ff\u31f0-\u31ff]"),
    "thai": re.compile("[\u0e00-\u0e7f]"),
}
_LEADING_VOWELS = frozenset("เแโใไ")
# A full stop, question or exclamation mark, ASCII or full-width, ends a sentence.
_SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]*")


def words(text: str, language: str) -> list[str]:
    """Words of a text: split at white space; Chinese by rjieba, other unspaced scripts by script
    (`kernels.find_words` says how).
    """
    if language not in UNSPACED_LANGUAGES or not _UNSPACED.search(text):
        return text.split()
    if is_chinese(text) and language != "ja":
        return [word for word in segment(text) if not word.isspace()]
    return [
        part
        for token in _TOKEN.findall(text)
        for part in (_split_by_script(token) if _UNSPACED.search(token) else [token])
    ]


def _split_by_script(token: str) -> list[str]:
    """Runs of Han, of katakana and of other letters; Thai syllables; else single characters."""
    parts: list[str] = []
    previous = ""
    for character in token:
        kind = _kind(character)
        if parts and kind == "mark":
            parts[-1] += character
            continue
        if parts and kind == previous and kind and character not in _LEADING_VOWELS:
            parts[-1] += character
        else:
            parts.append(character)
        previous = kind
    return parts


def _kind(character: str) -> str:
    """What runs on in a word: "" for a character that stands alone."""
    if unicodedata.category(character) in ("Mn", "Mc", "Me") or character in "\u200c\u200d":
        return "mark"
    for kind, pattern in _SCRIPTS.items():
        if pattern.match(character):
            return kind
    return "plain" if character.isalnum() and not _UNSPACED.match(character) else ""


def is_chinese(text: str) -> bool:
    """Whether a text has a Chinese character."""
    return bool(_CHINESE.search(text))


def segment(text: str) -> list[str]:
    """rjieba's words and all that stands between them; joined, they are the text."""
    import rjieba  # its dictionary is 33 MB, which only Chinese needs

    return rjieba.cut(text)


def count_sentences(text: str) -> int:
    """Sentences as RedPajama-v2 counts them, full-width punctuation included."""
    return sum(1 for found in _SENTENCE.finditer(text) if found.group().strip())
