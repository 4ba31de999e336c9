"""Tokens of a source that was not read yet, from a sample of its records, with an interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Bytes of text a token, where no tokenizer has been run: a stated prior, near what BPE of 32 000
# to 128 000 pieces does to English; other scripts and code differ up to twice.
PRIOR_BYTES_PER_TOKEN = 4.0


@dataclass(frozen=True)
class Estimate:
    """Tokens before deduplication and filters, and the 95 % interval of the sample."""

    tokens: int
    low: float
    high: float
    basis: str


def estimate_tokens(
    record_bytes: NDArray[np.int64],
    read_bytes: int,
    stored_bytes: int,
    bytes_per_token: float | None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Scale the sample's text to all that is stored; the interval resamples records.

    Args:
        record_bytes: (records,) UTF-8 bytes of text of each record that was read.
        read_bytes: stored bytes that these records were read from.
        stored_bytes: stored bytes of the whole source.
        bytes_per_token: of the lake's tokenizer, None for the prior.

    Raises:
        ValueError: nothing was read.
    """
    if not len(record_bytes) or read_bytes <= 0:
        raise ValueError("no record could be read. Try: `llm-data sources preview` on the source")
    scale = stored_bytes / read_bytes / (bytes_per_token or PRIOR_BYTES_PER_TOKEN)
    generator = np.random.Generator(np.random.PCG64(seed))
    sums = np.array([
        generator.choice(record_bytes, len(record_bytes)).sum() for _ in range(resamples)
    ])  # fmt: skip
    low, high = np.percentile(sums, [2.5, 97.5]) * scale
    said = "the tokenizer's" if bytes_per_token else "a prior of"
    each = bytes_per_token or PRIOR_BYTES_PER_TOKEN
    return Estimate(
        round(int(record_bytes.sum()) * scale),
        float(low),
        float(high),
        f"sample of {len(record_bytes)} records, {said} {each:.3g} bytes a token, before "
        "deduplication and filters",
    )
