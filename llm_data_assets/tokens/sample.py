"""Which documents a tokenizer is trained on: by keyed hash, so that order never matters."""

from collections.abc import Mapping

import pyarrow as pa
import xxhash


def sample_documents(
    documents: Mapping[str, pa.Table], *, total_bytes: int, alpha: float, seed: int
) -> set[str]:
    """Ids of the documents to train on.

    Each source gets a share of `total_bytes` in proportion to its size to the power `alpha`
    (XLM-R used 0.3): small sources are heard, large ones do not drown them. A source's documents
    are taken in order of a hash of (seed, doc_id) until its share is filled.

    Args:
        documents: per source a table with doc_id and n_bytes, in any order.
    """
    sizes = {name: sum(table["n_bytes"].to_pylist()) for name, table in documents.items()}
    weights = {name: size**alpha if size else 0.0 for name, size in sizes.items()}
    whole = sum(weights.values())
    chosen: set[str] = set()
    for name, table in documents.items():
        share = total_bytes * weights[name] / whole if whole else 0.0
        keyed = sorted(
            (xxhash.xxh3_64_intdigest(doc_id.encode(), seed), doc_id, size)
            for doc_id, size in zip(
                table["doc_id"].to_pylist(), table["n_bytes"].to_pylist(), strict=True
            )
        )
        for _, doc_id, size in keyed:
            if share <= 0:
                break
            chosen.add(doc_id)
            share -= size
    return chosen
