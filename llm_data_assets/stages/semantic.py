"""Documents as vectors, in clusters: what `duplicates` compares their meaning by, where asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from llm_data_assets.config.dedup import Semantic
from llm_data_assets.config.digest import file_checksum
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.instructions.local_models import model_digest, sentence_vectors
from llm_data_assets.stages.signed import Signed, texts_of
from llm_data_assets.stages.stage import Context

_BEGINNING = 4000  # characters: more than sentence models read, 512 tokens most often


def meaning_of(
    context: Context, signed: Signed
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Given rows of `signed.documents`: their vectors of length 1, and clusters by k-means.

    Vectors are held in memory, and the beginnings of texts meanwhile.
    """
    from llm_data_assets.instructions.select import cluster  # scikit-learn: 115 MB, where asked

    semantic = _asked(context.workspace)

    def meaning(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not len(rows):
            return np.empty((0, 1), np.float32), np.empty(0, np.int32)
        vectors = unit_vectors(context, signed, rows)
        return vectors, cluster(vectors, semantic.clusters, semantic.seed)[0]

    return meaning


def unit_vectors(context: Context, signed: Signed, rows: np.ndarray) -> np.ndarray:
    """float32[len(rows), d] of length 1, or 0 where there is none, in the order of the rows.

    Without a model or a file they depend on all rows given: TF-IDF weighs by them, and SVD finds
    its directions among them.

    Raises:
        ConfigError: a vector is not finite, or the file or the model cannot be used.
    """
    vectors = _vectors(context, signed, rows)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        wrong = rows[np.flatnonzero(~np.isfinite(lengths[:, 0]))[0]]
        raise _error(
            context.workspace,
            f"the vector of {signed.documents['doc_id'][int(wrong)].as_py()!r} is not finite",
            "vectors without NaN or infinity",
            "vectors",
        )
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


def semantic_settings(workspace: Workspace) -> dict[str, Any] | None:
    """What semantic removals depend on; None where none are asked for."""
    semantic = workspace.pipeline.model.dedup.semantic
    if semantic is None:
        return None
    settings: dict[str, Any] = semantic.model_dump()
    if semantic.vectors:
        path = _file(workspace, semantic.vectors)
        settings["vectors"] = file_checksum(path) if path.is_file() else None
    elif semantic.sentence_model:
        settings["sentence_model"] = model_digest(_file(workspace, semantic.sentence_model))
    return settings


def _asked(workspace: Workspace) -> Semantic:
    semantic = workspace.pipeline.model.dedup.semantic
    assert semantic is not None
    return semantic


def _vectors(context: Context, signed: Signed, rows: np.ndarray) -> np.ndarray:
    """float32[len(rows), d], in the order of the rows."""
    workspace, semantic = context.workspace, _asked(context.workspace)
    if semantic.vectors:
        path = _file(workspace, semantic.vectors)
        return _read(workspace, path, signed.documents["doc_id"].take(pa.array(rows)))
    in_file_order = np.argsort(rows)
    read = [
        text
        for group in texts_of(context, signed, rows[in_file_order])
        for text in pc.utf8_slice_codeunits(group, 0, _BEGINNING).to_pylist()
    ]
    texts = [read[i] for i in np.argsort(in_file_order).tolist()]
    if semantic.sentence_model is None:
        from llm_data_assets.instructions.embed import embed

        return embed(texts, semantic.dimensions, semantic.seed)
    try:
        return sentence_vectors(_file(workspace, semantic.sentence_model), texts, None)
    except ValueError as error:
        problem, _, way_out = str(error).partition(" Try: ")
        raise _error(workspace, problem, way_out, "sentence_model") from None


def _read(workspace: Workspace, path: Path, ids: pa.ChunkedArray) -> np.ndarray:
    """The file's vectors of these documents; zero, which nothing resembles, where it has none."""
    try:
        given = pq.read_table(path, columns=["doc_id", "vector"])
        vector = given["vector"].combine_chunks()
        sizes = pc.unique(pc.list_value_length(vector)).to_pylist()
        if len(sizes) != 1 or not sizes[0]:
            raise ValueError(f"its vectors have {', '.join(map(str, sizes)) or 'no'} dimensions")
        values = pc.list_flatten(vector).to_numpy(zero_copy_only=False).astype(np.float32)
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise _error(
            workspace,
            f"{path}: {error}",
            "a Parquet file of doc_id and vector, a list of as many numbers in each row",
            "vectors",
        ) from error
    place = pc.index_in(ids.combine_chunks(), given["doc_id"].combine_chunks())
    at = pc.fill_null(place, -1).to_numpy()
    vectors = np.zeros((len(at), sizes[0]), np.float32)
    vectors[at >= 0] = values.reshape(-1, sizes[0])[at[at >= 0]]
    return vectors


def _file(workspace: Workspace, name: str) -> Path:
    return workspace.pipeline.path.parent / name


def _error(workspace: Workspace, problem: str, way_out: str, field: str) -> ConfigError:
    return workspace.pipeline.error(("dedup", "semantic", field), problem, way_out)
