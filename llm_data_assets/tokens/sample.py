"""Which documents a tokenizer is trained on: by keyed hash, so that order never matters."""

from collections.abc import Mapping

import pyarrow as pa
import xxhash


def sample_documents(
    strata: Mapping[tuple[str, ...], pa.Table], *, total_bytes: int, alpha: float, seed: int
) -> set[str]:
    """Ids of the documents to train on.

    Each stratum (a language in a domain) gets a share of `total_bytes` in proportion to its size to
    the power `alpha` (XLM-R used 0.3): small ones are heard, large ones do not drown them. What a
    stratum cannot fill goes to the others, in the same proportions. Its documents are taken in
    order of a hash of (seed, doc_id) until its share is filled.

    Args:
        strata: per stratum a table with doc_id and n_bytes, in any order.
    """
    sizes = {name: sum(table["n_bytes"].to_pylist()) for name, table in strata.items()}
    shares = fill(sizes, total_bytes, alpha)
    return {
        doc_id
        for name, table in strata.items()
        for doc_id in first_by_hash(table, shares[name], seed)["doc_id"].to_pylist()
    }


def first_by_hash(documents: pa.Table, n_bytes: float, seed: int) -> pa.Table:
    """Documents in order of a hash of (seed, doc_id), until `n_bytes` are filled.

    What a table of several parts gives is among what each of its parts gives.

    Args:
        documents: a table with doc_id and n_bytes, in any order.
    """
    keyed = sorted(
        (xxhash.xxh3_64_intdigest(doc_id.encode(), seed), doc_id, row)
        for row, doc_id in enumerate(documents["doc_id"].to_pylist())
    )
    sizes = documents["n_bytes"].to_pylist()
    taken = []
    for _, _, row in keyed:
        if n_bytes <= 0:
            break
        taken.append(row)
        n_bytes -= sizes[row]
    return documents.take(pa.array(taken, pa.int64()))


def fill(
    sizes: Mapping[tuple[str, ...], int], total: float, alpha: float
) -> dict[tuple[str, ...], float]:
    """Share `total` out in proportion to size to the power `alpha`, nobody above its size."""
    shares: dict[tuple[str, ...], float] = {}
    # The stratum that its share fills most comes first: once one is not full, none after it is.
    left = sorted((name for name in sizes if sizes[name]), key=lambda name: sizes[name])
    while left:
        whole = sum(sizes[name] ** alpha for name in left)
        name = left.pop(0)
        shares[name] = min(float(sizes[name]), total * sizes[name] ** alpha / whole)
        total -= shares[name]
    return shares | {name: 0.0 for name in sizes if not sizes[name]}
