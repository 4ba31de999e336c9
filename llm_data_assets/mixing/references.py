"""Mixtures of the literature, as shares of domains, for recipes that start from one of them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

_PILE_GIB_AND_EPOCHS = {  # Gao et al. 2020, table 1: GiB and epochs; a weight is their product
    "Pile-CC": (227.12, 1), "PubMed Central": (90.27, 2), "Books3": (100.96, 1.5),
    "OpenWebText2": (62.77, 2), "ArXiv": (56.21, 2), "Github": (95.16, 1),
    "FreeLaw": (51.15, 1.5), "StackExchange": (32.20, 2), "USPTO Backgrounds": (22.90, 2),
    "PubMed Abstracts": (19.26, 2), "Gutenberg (PG-19)": (10.88, 2.5),
    "OpenSubtitles": (12.98, 1.5), "Wikipedia (en)": (6.38, 3), "DM Mathematics": (7.75, 2),
    "Ubuntu IRC": (5.52, 2), "BookCorpus2": (6.30, 1.5), "EuroParl": (4.59, 2),
    "HackerNews": (3.90, 2), "YoutubeSubtitles": (3.73, 2), "PhilPapers": (2.38, 2),
    "NIH ExPorter": (1.89, 2), "Enron Emails": (0.88, 2),
}  # fmt: skip
_AMOUNTS: dict[str, dict[str, float]] = {
    "pile": {name: gib * epochs for name, (gib, epochs) in _PILE_GIB_AND_EPOCHS.items()},
    # Touvron et al. 2023, table 1: percent of 1.4 T tokens
    "llama": {
        "CommonCrawl": 67.0, "C4": 15.0, "Github": 4.5, "Wikipedia": 4.5, "Books": 4.5,
        "ArXiv": 2.5, "StackExchange": 2.0,
    },
    # RedPajama-Data-1T card (2023): billions of tokens
    "redpajama": {
        "CommonCrawl": 878, "C4": 175, "Github": 59, "Books": 26, "ArXiv": 28,
        "Wikipedia": 24, "StackExchange": 20,
    },
    # Soldaini et al. 2024, Dolma v1: billions of tokens
    "dolma": {
        "CommonCrawl": 2415, "C4": 175, "peS2o": 57, "The Stack": 430, "Gutenberg": 4.8,
        "Wikipedia": 3.6,
    },
}  # fmt: skip
REFERENCES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        name: {domain: amount / sum(amounts.values()) for domain, amount in amounts.items()}
        for name, amounts in _AMOUNTS.items()
    }
)


def from_reference(
    name: str, domains: Mapping[str, Sequence[str]], sizes: Mapping[str, int]
) -> dict[str, float]:
    """Weights of sources that stand for domains of a reference mixture; they sum to 1.

    A domain's share is split among its sources by size; what domains without a source would have
    had goes to the others in proportion.

    Args:
        name: one of `REFERENCES`.
        domains: the sources of each domain that there is.
        sizes: tokens or sequences of each source.

    Raises:
        ValueError: a domain that the mixture does not have, or no domain with a size.
    """
    shares = REFERENCES[name]
    for domain in domains:
        if domain not in shares:
            raise ValueError(
                f"the mixture {name!r} has no domain {domain!r}. Try: {', '.join(shares)}"
            )
    weights: dict[str, float] = {}
    for domain, sources in domains.items():
        whole = sum(sizes[source] for source in sources)
        for source in sources:
            part = shares[domain] * sizes[source] / whole if whole else 0.0
            weights[source] = weights.get(source, 0.0) + part
    total = sum(weights.values())
    if not total:
        raise ValueError(
            f"no source of the recipe's domains has tokens. Try: map a domain of {name!r} "
            f"({', '.join(shares)}) to sources under `domains`"
        )
    return {source: weight / total for source, weight in weights.items()}
