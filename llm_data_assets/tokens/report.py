"""What a tokenizer does to a corpus, as figures: compression, fairness, use of the vocabulary."""

from dataclasses import dataclass, field

import numpy as np

RENYI_ALPHA = 2.5  # Zouhar et al. 2023 (arXiv 2306.16842): where it follows translation quality


@dataclass
class Tally:
    """Sums over the documents of one source and language."""

    n_documents: int = 0
    n_bytes: int = 0
    n_words: int = 0
    n_tokens: int = 0
    n_unknown: int = 0
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, other: "Tally") -> None:
        """Add another's sums; both know the same vocabulary."""
        self.n_documents += other.n_documents
        self.n_bytes += other.n_bytes
        self.n_words += other.n_words
        self.n_tokens += other.n_tokens
        self.n_unknown += other.n_unknown
        self.counts = self.counts + other.counts if len(self.counts) else other.counts.copy()


def figures(tally: Tally, is_byte: np.ndarray) -> dict[str, float]:
    """Rates of a tally; none where there is no token.

    Args:
        is_byte: bool[vocabulary], ids that stand for a byte.
    """
    if not tally.n_tokens:
        return {}
    return {
        "documents": tally.n_documents,
        "tokens": tally.n_tokens,
        "bytes_per_token": tally.n_bytes / tally.n_tokens,
        "tokens_per_word": tally.n_tokens / max(1, tally.n_words),
        "unknown_rate": tally.n_unknown / tally.n_tokens,
        "byte_fallback_rate": float(tally.counts[is_byte].sum()) / tally.n_tokens,
        "vocabulary_used": float((tally.counts > 0).mean()),
        "renyi_efficiency": renyi_efficiency(tally.counts),
    }


def renyi_efficiency(counts: np.ndarray, alpha: float = RENYI_ALPHA) -> float:
    """Rényi entropy of the ids' distribution over that of an even one, from 0 to 1.

    `ln(sum p^alpha) / (1 - alpha) / ln |V|` (Zouhar et al. 2023), |V| being all ids, used or not;
    0 for a vocabulary of one.

    Args:
        counts: int[|V|], how often each id stands in the text.
    """
    total = counts.sum()
    if len(counts) < 2 or not total:
        return 0.0
    shares = counts[counts > 0] / total
    entropy = np.log(np.sum(shares**alpha)) / (1 - alpha)
    return float(entropy / np.log(len(counts)))


def premium(by_language: dict[str, Tally]) -> dict[str, float]:
    """Tokens a byte of each language costs, against the language with most bytes.

    Parity proper compares translations of one text; a corpus has none, so scripts with more bytes
    a character look cheaper here than they are.
    """
    heard = {name: tally for name, tally in by_language.items() if tally.n_bytes and tally.n_tokens}
    if not heard:
        return {}
    largest = max(heard, key=lambda name: (heard[name].n_bytes, name))
    cost = {name: tally.n_tokens / tally.n_bytes for name, tally in heard.items()}
    return {name: cost[name] / cost[largest] for name in heard}


def longest_pieces(pieces: list[str], number: int) -> list[int]:
    """Ids of the longest pieces, in characters; equal ones in order of id."""
    return sorted(range(len(pieces)), key=lambda token: (-len(pieces[token]), token))[:number]


def glitch_candidates(
    pieces: list[str], counts: np.ndarray, is_ordinary: np.ndarray, number: int
) -> list[int]:
    """Ids a model would hardly be trained on, the least used first, then the longest.

    Ordinary pieces seen at most once (Land and Bartolo 2024, arXiv 2405.05417: such ids keep the
    embeddings they began with, and derail the model when a prompt holds one).
    """
    rare = np.flatnonzero(is_ordinary & (counts <= 1)).tolist()
    return sorted(rare, key=lambda token: (counts[token], -len(pieces[token]), token))[:number]
