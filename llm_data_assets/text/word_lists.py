"""Word lists that the user supplies: what share of a text's words stands on one."""

from pathlib import Path

from llm_data_assets.text.classifier import tokens

WordList = dict[int, frozenset[tuple[str, ...]]]


def read_words(path: Path) -> WordList:
    """Terms of a file, one a line, by how many words they have; `#` begins a comment.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no UTF-8 text, or has no term.
    """
    terms: dict[int, set[tuple[str, ...]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        term = tuple(tokens(line.partition("#")[0]))
        if term:
            terms.setdefault(len(term), set()).add(term)
    if not terms:
        raise ValueError("it has no term")
    return {length: frozenset(found) for length, found in sorted(terms.items())}


def listed_share(text: str, listed: WordList) -> float:
    """Words of a text that belong to a listed term, over all its words, whatever their case."""
    words = tokens(text)
    covered = bytearray(len(words))
    for length, terms in listed.items():
        for start in range(len(words) - length + 1):
            if tuple(words[start : start + length]) in terms:
                covered[start : start + length] = b"\1" * length
    return sum(covered) / len(words) if words else 0.0
