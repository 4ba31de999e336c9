"""SentencePiece models: trained so that any Unicode text survives encoding and decoding."""

import io
import re
from collections.abc import Iterable, Sequence

import sentencepiece

UNKNOWN, BEGIN, END, PAD = 0, 1, 2, 3
_LOWEST_VOCABULARY = 300  # 256 byte pieces, four control pieces, and some letters


def train(
    texts: Iterable[str],
    *,
    model_type: str = "bpe",
    vocab_size: int,
    character_coverage: float = 0.9999,
    user_defined_symbols: Sequence[str] = (),
) -> bytes:
    """Train a model; the same texts in the same order give the same bytes.

    Identity normalisation, byte fallback, single digits and kept white space make
    `decode(encode(x)) == x` hold for any text; of U+2581, which SentencePiece itself reads as a
    space, `Encoder(keep_marks=True)` takes care. A vocabulary larger than the text supports is
    lowered to what it does.

    Raises:
        ValueError: there is no text to train on, or the vocabulary is too small for its characters.
    """
    model = io.BytesIO()
    # A line end inside a sentence would be lost: lines are the sentences.
    sentences = [line for text in texts for line in text.splitlines(keepends=True) if line.strip()]
    if not sentences:
        raise ValueError("no text to train a tokenizer on. Try: a source whose documents stay")
    try:
        _train(sentences, model, model_type, vocab_size, character_coverage, user_defined_symbols)
    except RuntimeError as error:
        needed = re.search(r"required_chars\. \d+ vs (\d+)", str(error))
        raise ValueError(
            f"a vocabulary of {vocab_size} cannot be trained: "
            + (
                f"characters and special pieces alone are {needed[1]}. "
                f"Try: vocab_size {needed[1]} or more, or a lower character_coverage"
                if needed
                else f"{error}. Try: other settings of the tokenizer"
            )
        ) from error
    return model.getvalue()


def _train(
    sentences: list[str],
    model: io.BytesIO,
    model_type: str,
    vocab_size: int,
    character_coverage: float,
    user_defined_symbols: Sequence[str],
) -> None:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        model_type=model_type,
        vocab_size=max(_LOWEST_VOCABULARY, vocab_size),
        hard_vocab_limit=False,
        character_coverage=character_coverage,
        byte_fallback=True,
        split_digits=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        allow_whitespace_only_pieces=True,
        add_dummy_prefix=False,
        user_defined_symbols=["\n", "\t", *user_defined_symbols],
        unk_id=UNKNOWN,
        bos_id=BEGIN,
        eos_id=END,
        pad_id=PAD,
        max_sentence_length=1 << 20,
        num_threads=1,  # more threads give other bytes
        minloglevel=2,
    )


def load(model: bytes) -> sentencepiece.SentencePieceProcessor:
    """The model, ready to encode.

    Raises:
        ValueError: the bytes are no SentencePiece model.
    """
    try:
        if model:
            return sentencepiece.SentencePieceProcessor(model_proto=model)
    except RuntimeError:
        pass
    raise ValueError(
        f"not a SentencePiece model: {len(model)} bytes that begin with {model[:16]!r}. "
        "Try: the .model file that SentencePiece's trainer wrote"
    )
