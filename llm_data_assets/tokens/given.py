"""Any tokenizer file: SentencePiece's `.model`, a `tokenizer.json`, or a tiktoken rank file."""

import base64
import binascii
import json
import re
from functools import lru_cache
from typing import Protocol

import numpy as np
import pyarrow as pa

from llm_data_assets.tokens.encode import Encoded, Encoder, flat, token_dtype

_RANK_LINE = re.compile(rb"[A-Za-z0-9+/]+=* \d+\r?\n")
_END_TEXT = "<|endoftext|>"  # what every published rank file's encoding ends documents with


class Tokenizer(Protocol):
    """What a stage asks of a tokenizer. `unknown` is -1 where there is no such id."""

    format: str
    vocab_size: int
    unknown: int
    dtype: np.dtype

    def encode(self, texts: pa.Array, *, add_eos: bool = True) -> Encoded: ...

    def decode(self, ids: list[int]) -> str: ...

    def piece(self, token: int) -> str: ...

    def is_byte(self, token: int) -> bool: ...


@lru_cache(maxsize=4)
def open_tokenizer(
    model: bytes,
    *,
    end_token: str | None = None,
    pattern: str | None = None,
    keep_marks: bool = False,
) -> Tokenizer:
    """This process's tokenizer of a file; which kind it is, is read off its first bytes.

    Args:
        end_token: ends a document, where the file does not say what does.
        pattern: regular expression that cuts texts for a rank file, which holds none.
        keep_marks: see `Encoder`; for SentencePiece models.

    Raises:
        ValueError: the file is broken, or lacks what only these arguments can say.
    """
    if model.lstrip()[:1] == b"{":
        return _Json(model, end_token)
    if _RANK_LINE.match(model):
        return _Ranks(model, end_token or _END_TEXT, pattern)
    return Encoder(model, keep_marks=keep_marks)


class _Json:
    """A `tokenizer.json` of the tokenizers package. Special tokens in a text are text."""

    format = "tokenizers"

    def __init__(self, model: bytes, end_token: str | None) -> None:
        try:
            import tokenizers
        except ImportError as error:
            raise _missing("tokenizers") from error
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(model.decode())
            unknown = json.loads(model)["model"].get("unk_token")
        except Exception as error:  # the package raises plain Exception
            raise ValueError(
                f"not a tokenizer.json: {error}. Try: the file that "
                "tokenizers' `save` or transformers' `save_pretrained` wrote"
            ) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        ids: dict[str, int] = self._tokenizer.get_vocab()
        self.vocab_size = max(ids.values()) + 1
        self.unknown = -1 if unknown is None else ids[unknown]
        self.dtype = token_dtype(self.vocab_size)
        if end_token not in ids:
            raise ValueError(
                f"tokenizer.end_token {end_token!r} is no token of this tokenizer.json, which does "
                "not say itself what ends a document. Try: "
                + (", ".join(name for name in ids if name.startswith("<"))[:200] or "another file")
            )
        self._end = ids[end_token]

    def encode(self, texts: pa.Array, *, add_eos: bool = True) -> Encoded:
        after = [self._end] if add_eos else []
        return flat(
            [
                self._tokenizer.encode(text, add_special_tokens=False).ids + after
                for text in texts.fill_null("").to_pylist()
            ],
            self.dtype,
        )

    def decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=False))

    def piece(self, token: int) -> str:
        return str(self._tokenizer.id_to_token(token))

    def is_byte(self, token: int) -> bool:
        return bool(re.fullmatch(r"<0x[0-9A-F]{2}>", self.piece(token)))


class _Ranks:
    """A tiktoken rank file: a base64 token and its rank a line."""

    format = "tiktoken"
    unknown = -1

    def __init__(self, model: bytes, end_token: str, pattern: str | None) -> None:
        try:
            import tiktoken
        except ImportError as error:
            raise _missing("tiktoken") from error
        if pattern is None:
            raise ValueError(
                "a tiktoken rank file does not say how texts are cut before merging. "
                "Try: tokenizer.pattern, the regular expression its publisher names"
            )
        ranks = _ranks(model)
        self.vocab_size = len(ranks) + 1
        self.dtype = token_dtype(self.vocab_size)
        self._end = len(ranks)
        try:
            self._encoding = tiktoken.Encoding(
                "given",
                pat_str=pattern,
                mergeable_ranks=ranks,
                special_tokens={end_token: self._end},
            )
        except ValueError as error:
            raise ValueError(
                f"tokenizer.pattern cannot be used: {error}. Try: the one its publisher names"
            ) from error

    def encode(self, texts: pa.Array, *, add_eos: bool = True) -> Encoded:
        after = [self._end] if add_eos else []
        return flat(
            [
                self._encoding.encode_ordinary(text) + after
                for text in texts.fill_null("").to_pylist()
            ],
            self.dtype,
        )

    def decode(self, ids: list[int]) -> str:
        return self._encoding.decode(ids)

    def piece(self, token: int) -> str:
        return self._encoding.decode_single_token_bytes(token).decode(errors="replace")

    def is_byte(self, token: int) -> bool:
        return len(self._encoding.decode_single_token_bytes(token)) == 1


def _ranks(model: bytes) -> dict[bytes, int]:
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(model.splitlines(), 1):
        try:
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except (ValueError, binascii.Error) as error:
            raise ValueError(
                f"line {number} of the rank file is no base64 token and number: {line[:40]!r}. "
                "Try: download it again"
            ) from error
    missing = [byte for byte in range(256) if bytes([byte]) not in ranks]
    if missing or sorted(ranks.values()) != list(range(len(ranks))):
        raise ValueError(
            f"the rank file is not whole: {len(ranks)} tokens, {len(missing)} of the 256 bytes "
            "missing, or ranks that do not count from 0. Try: download it again"
        )
    return ranks


def _missing(package: str) -> ValueError:
    return ValueError(
        f"this tokenizer file needs the package {package}. "
        "Try: pip install 'llm_data_assets[tokenizers]'"
    )
