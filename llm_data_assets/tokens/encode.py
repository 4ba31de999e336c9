"""Encoding: SentencePiece's own ids, with document boundaries."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import sentencepiece

from llm_data_assets.tokens.tokenizer import load


@dataclass(frozen=True)
class Encoded:
    """Flat ids of all texts (uint16 or uint32, by vocabulary) and each text's length (int32)."""

    tokens: np.ndarray
    lengths: np.ndarray


def encode(texts: pa.Array, model: bytes, *, add_eos: bool = True) -> Encoded:
    """Encode every text, each ending in the end-of-sequence id if asked for."""
    processor = _processor(model)
    ids = processor.encode(texts.to_pylist(), out_type=int, add_eos=add_eos, num_threads=1)
    lengths = np.fromiter((len(each) for each in ids), np.int32, len(ids))
    tokens = np.fromiter(
        (token for each in ids for token in each),
        token_dtype(processor.vocab_size()),
        lengths.sum(),
    )
    return Encoded(tokens, lengths)


def token_dtype(vocab_size: int) -> np.dtype:
    """The smallest unsigned type that holds every id."""
    return np.dtype(np.uint16 if vocab_size <= 1 << 16 else np.uint32)


@lru_cache(maxsize=4)
def _processor(model: bytes) -> sentencepiece.SentencePieceProcessor:
    return load(model)
