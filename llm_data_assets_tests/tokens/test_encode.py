"""Encoding gives SentencePiece's own ids, whatever the model's settings."""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.tokens import encode as module
from llm_data_assets.tokens.encode import Encoder, token_dtype
from llm_data_assets.tokens.merges import why_not
from llm_data_assets.tokens.model_file import (
    NORMAL,
    UNIGRAM,
    UNUSED,
    USER_DEFINED,
    read_model,
)
from llm_data_assets.tokens.tokenizer import train
from llm_data_assets_tests.conftest import sentence
from llm_data_assets_tests.quickstart.prose import article_zh
from llm_data_assets_tests.tokens.models import bpe_model, normal

TEXTS = [*(sentence(number) for number in range(40)), "0 1 2 3 4 5 6 7 8 9\n" * 9]
CHARACTERS = 4  # the model type of the format's definition
LETTERS = [*"abcxyz▁.", "é", "界", "😀"]
# Characters of every width, the mark itself, and what the symbols below begin with.
ANY_TEXT = st.text(
    st.one_of(st.sampled_from("ab xy.<|\n▁é界😀0\0"), st.characters(exclude_categories=("Cs",)))
)


def assert_as_sentencepiece(model: bytes, texts: Iterable[str], *, by_words: bool = True) -> None:
    texts = list(texts)
    encoder = Encoder(model)
    assert (encoder.slow_because is None) == by_words
    expected = sentencepiece.SentencePieceProcessor(model_proto=model).encode(texts, add_bos=True)
    for _ in range(2):  # with words unseen, then known
        found = encoder.encode(pa.array(texts, pa.string()), add_bos=True, add_eos=False)
        assert found.lengths.tolist() == [len(ids) for ids in expected]
        assert found.tokens.tolist() == [token for ids in expected for token in ids]


TRAINED: dict[str, dict[str, object]] = {
    "as this project trains": {},
    "with a dummy prefix": {"add_dummy_prefix": True},
    "with a dummy suffix": {"add_dummy_prefix": True, "treat_whitespace_as_suffix": True},
    "without byte fallback": {"byte_fallback": False, "character_coverage": 0.98},
    "with words across spaces": {"split_by_whitespace": False},
    "with symbols": {"user_defined_symbols": ["<|", "<|im|>", "a b", "é界", "\n\n", "\n", "▁▁"]},
}
TRAINED |= {
    f"unigram, {name}": settings | {"model_type": "unigram"} for name, settings in TRAINED.items()
}
_OTHERS: dict[str, dict[str, object]] = {
    "characters": {"model_type": "char"},
    "unigram, nmt_nfkc": {"model_type": "unigram", "normalization_rule_name": "nmt_nfkc"},
    "nmt_nfkc": {"normalization_rule_name": "nmt_nfkc"},
    "spaces removed": {"remove_extra_whitespaces": True},
}


def trained(changed: dict[str, object]) -> bytes:
    import io

    model = io.BytesIO()
    usual: dict[str, object] = {
        "model_type": "bpe",
        "vocab_size": 700,
        "byte_fallback": True,
        "hard_vocab_limit": False,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "allow_whitespace_only_pieces": True,
        "add_dummy_prefix": False,
    }
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*TEXTS, *(article_zh(n, 4)[1] for n in range(6))]),
        model_writer=model,
        num_threads=1,
        minloglevel=2,
        **usual | changed,
    )
    return model.getvalue()


@pytest.mark.parametrize("name", TRAINED)
def test_trained_models_of_all_kinds(name: str) -> None:
    model = trained(TRAINED[name])

    @settings(max_examples=60)
    @given(st.lists(ANY_TEXT, max_size=4))
    def hold(texts: list[str]) -> None:
        assert_as_sentencepiece(model, [*texts, sentence(50), article_zh(9, 3)[1]])

    hold()


@pytest.mark.parametrize("name", _OTHERS)
def test_models_whose_words_depend_on_each_other_are_left_to_sentencepiece(name: str) -> None:
    model = trained(_OTHERS[name])
    assert_as_sentencepiece(model, ["  two  words ", "Ａ界 é", sentence(3)], by_words=False)


@settings(max_examples=150)
@given(
    pieces=st.lists(
        st.text(st.sampled_from(LETTERS), min_size=2, max_size=6), unique=True, max_size=25
    ),
    scores=st.lists(st.integers(-4, 0), min_size=25, max_size=25),
    texts=st.lists(st.text(st.sampled_from([*LETTERS, " ", "q", "龘"]), max_size=90), max_size=3),
    fallback=st.booleans(),
    prefix=st.booleans(),
    suffix=st.booleans(),
)
def test_any_pieces_with_any_scores(
    pieces: list[str],
    scores: list[int],
    texts: list[str],
    fallback: bool,
    prefix: bool,
    suffix: bool,
) -> None:
    """Spaces inside pieces, equal scores, pieces that nothing leads to, characters of no piece."""
    model = bpe_model(
        [
            *normal(*LETTERS[:-2], scores=[-9.0] * (len(LETTERS) - 2)),
            *normal(*pieces, scores=[float(score) for score in scores[: len(pieces)]]),
        ],
        byte_fallback=fallback,
        dummy_prefix=prefix,
        as_suffix=suffix,
    )
    assert_as_sentencepiece(model, texts)


@settings(max_examples=100)
@given(
    symbols=st.lists(
        st.text(st.sampled_from("ab▁é"), min_size=1, max_size=4), unique=True, max_size=5
    ),
    texts=st.lists(st.text(st.sampled_from("ab é"), max_size=30), max_size=3),
)
def test_user_defined_symbols_are_taken_first_and_never_merged(
    symbols: list[str], texts: list[str]
) -> None:
    pieces = [p for p in ("▁", "a", "b", "é", "ab", "▁a", "aab", "bé", "éb") if p not in symbols]
    if "▁" not in [*pieces, *symbols]:
        return
    model = bpe_model([*normal(*pieces), *((symbol, 0.0, USER_DEFINED) for symbol in symbols)])
    inside = any(symbol in piece for piece in pieces for symbol in symbols)
    assert_as_sentencepiece(model, texts, by_words=not inside)


UNIGRAM_LETTERS = [*"abc", "▁", "é", "界"]
# Whole numbers tie often, close ones where rounding is coarse, and others hardly ever.
SCORES = st.one_of(
    st.lists(st.integers(-6, 0).map(float), min_size=31, max_size=31),
    st.lists(st.floats(-8, -7.9990234375, width=32), min_size=31, max_size=31),
    st.lists(st.floats(-12, 0, width=32), min_size=31, max_size=31),
)


@settings(max_examples=150)
@given(
    pieces=st.lists(
        st.text(st.sampled_from(UNIGRAM_LETTERS), min_size=2, max_size=5), unique=True, max_size=25
    ),
    scores=SCORES,
    kinds=st.lists(
        st.sampled_from([NORMAL] * 10 + [USER_DEFINED, UNUSED]), min_size=25, max_size=25
    ),
    texts=st.lists(
        st.text(st.sampled_from([*"abc é界龘▁"]), min_size=1, max_size=60), min_size=1, max_size=4
    ),
    repeats=st.sampled_from([1, 20, 400]),
    fallback=st.booleans(),
    prefix=st.booleans(),
    suffix=st.booleans(),
)
def test_any_pieces_of_a_unigram_with_any_scores(
    pieces: list[str],
    scores: list[float],
    kinds: list[int],
    texts: list[str],
    repeats: int,
    fallback: bool,
    prefix: bool,
    suffix: bool,
) -> None:
    """Ties, splits that nearly tie, sums that are rounded coarsely, and sums that begin anew."""
    letters = normal(*UNIGRAM_LETTERS[:-1], scores=scores[:5])
    others = zip(pieces, scores[6:], kinds, strict=False)
    model = bpe_model(
        [*letters, *others],
        model_type=UNIGRAM,
        byte_fallback=fallback,
        dummy_prefix=prefix,
        as_suffix=suffix,
    )
    assert_as_sentencepiece(model, [*texts, "".join(texts) * repeats])


def test_a_split_that_only_rounding_decides_changes_along_a_text() -> None:
    """`pq` is a little worse than `p` and `q`, and as good where sums are large."""
    pieces = normal("▁", "p", "q", "pq", "a", scores=[-1, -0.5, -0.5, -1 - 2**-9, -8])
    model = bpe_model(pieces, model_type=UNIGRAM)
    text = ("a" * 16 + "pq ") * 2_000
    assert_as_sentencepiece(model, [text, "pq", text + "pq"])
    pieces_found = Encoder(model).processor.encode(text, out_type=str)
    assert pieces_found.count("pq") > 100 and pieces_found.count("q") > 100


def test_a_unigram_is_left_to_a_sentencepiece_that_adds_up_in_another_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = trained({"model_type": "unigram"})
    monkeypatch.setattr(Encoder, "_adds_up", lambda self, text: False)
    assert "another way" in (Encoder(model).slow_because or "")


REASONS: dict[str, Callable[[], bytes]] = {
    "neither a BPE nor a unigram": lambda: bpe_model(normal("▁", "a"), model_type=CHARACTERS),
    "repeated spaces": lambda: bpe_model(normal("▁", "a"), remove_spaces=True),
    "as they are": lambda: bpe_model(normal("▁", "a"), escape_spaces=False),
    "unused pieces": lambda: bpe_model([*normal("▁", "a"), ("aa", 0.0, UNUSED)]),
    "part of a piece": lambda: bpe_model([*normal("▁", "a", "ab"), ("b", 0.0, USER_DEFINED)]),
    "a space is no piece": lambda: bpe_model(normal("a")),
}


@pytest.mark.parametrize("reason", REASONS)
def test_what_stands_against_encoding_by_words_is_named(reason: str) -> None:
    model = REASONS[reason]()
    assert reason in (why_not(read_model(model)) or "")
    assert_as_sentencepiece(model, ["a aa  a", "", " aaa"], by_words=False)


def test_words_of_every_length_are_remembered_or_not_with_the_same_ids() -> None:
    model = bpe_model(normal("▁", "a", "b", "aa", "ab", "aaaa", "▁a", "▁aaaa"))
    lengths = (1, 7, 8, 14, 15, 16, 17, *range(30, 34), 254, 255, 256, 300, 5000)
    words = ["a" * n + "b" for n in lengths]
    assert_as_sentencepiece(model, [" ".join(words), *words, *(word + "x" for word in words)])


def test_the_cache_grows_and_stops_growing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_SLOTS", 64)
    monkeypatch.setattr(module, "_MOST_SLOTS", 256)
    letters = "abcdefgh"
    model = bpe_model(normal("▁", *letters, *(a + b for a in letters for b in letters)))
    texts = [f"{a}{b}{c} {c}{b}{a}{b}" * 6 for a in letters for b in letters for c in letters]
    assert_as_sentencepiece(model, texts)


def test_arrays_of_any_layout() -> None:
    model = bpe_model(normal("▁", "a", "b", "ab"))
    whole = pa.array(["ab", None, "", "b ab", "a"])
    encoder = Encoder(model)
    for texts in (whole, whole.cast(pa.large_string())):
        found = encoder.encode(texts.slice(1, 3), add_eos=False)
        assert found.lengths.tolist() == [0, 0, 3]
        assert found.tokens.tolist() == [261, 259, 262]
    assert encoder.encode(whole.slice(0, 0)).lengths.tolist() == []


def test_documents_are_found_by_position() -> None:
    model = bpe_model(normal("▁", "a", "b"))
    found = Encoder(model).encode(pa.array(["ab", "", "a"]))  # each ends in id 2
    assert found.offsets.tolist() == [0, 3, 4, 6]
    assert found.document_of(np.arange(6)).tolist() == [0, 0, 0, 1, 2, 2]


def test_token_dtype_fits_the_vocabulary() -> None:
    assert token_dtype(65_536) == np.uint16
    assert token_dtype(65_537) == np.uint32
    many = [chr(0x4E00 + n % 20_000) + chr(0x4E00 + n // 20_000) for n in range(66_000)]
    model = bpe_model(normal("▁", *many))
    found = Encoder(model).encode(pa.array([many[-1]]))
    assert found.tokens.dtype == np.uint32
    assert_as_sentencepiece(model, [many[-1] + many[0], many[65_300]])


def test_threads_share_an_encoder() -> None:
    encoder = Encoder(train(TEXTS, vocab_size=600))
    texts = pa.array([sentence(number) for number in range(60)])
    expected = encoder.encode(texts).tokens.tolist()
    found: list[list[int]] = []
    threads = [
        threading.Thread(target=lambda: found.append(encoder.encode(texts).tokens.tolist()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


@pytest.mark.parametrize("model_type", ["bpe", "unigram"])
def test_any_text_survives_a_round_trip_even_with_sentencepieces_own_mark(model_type: str) -> None:
    encoder = Encoder(train(TEXTS, vocab_size=600, model_type=model_type), keep_marks=True)

    @settings(max_examples=100)
    @given(ANY_TEXT)
    def hold(text: str) -> None:
        ids = encoder.encode(pa.array([text]), add_eos=False).tokens.tolist()
        assert encoder.processor.decode(ids) == text
        assert encoder.processor.unk_id() not in ids
        if "▁" not in text:
            assert ids == encoder.processor.encode(text)

    hold()
    assert encoder.processor.decode(encoder.encode(pa.array(["▁a ▁"])).tokens.tolist()) == "▁a ▁"


def test_a_model_that_cannot_keep_marks_says_so() -> None:
    with pytest.raises(ValueError, match="byte fallback"):
        Encoder(bpe_model(normal("▁", "a"), byte_fallback=False), keep_marks=True)


def test_a_missing_end_token_is_refused() -> None:
    model = train(TEXTS, vocab_size=600)
    without = model.replace(b"</s>", b"</x>")
    with pytest.raises(ValueError, match=r"no end-of-sequence token. Try:"):
        Encoder(without).encode(pa.array(["a"]))


@pytest.mark.parametrize("broken", [b"", b"no model at all", b"\x0a\xff\xff"])
def test_a_broken_model_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="Try:"):
        Encoder(broken)


@pytest.mark.parametrize("model_type", ["bpe", "unigram"])
def test_real_text_of_every_source(shared_data: Path, model_type: str) -> None:
    """Real prose, code, dialogue and markup: equal ids for every document."""
    paths = sorted(
        path
        for pattern in ("books/**/*.txt", "alpaca/**/*.json*", "flan/**/*.tsv", "books/**/*.xhtml")
        for path in shared_data.glob(pattern)
        if path.is_file()
    )[:12]
    texts = [path.read_text(encoding="utf-8", errors="replace")[:400_000] for path in paths]
    assert len(texts) > 4
    model = train([text[:50_000] for text in texts], vocab_size=4000, model_type=model_type)
    assert_as_sentencepiece(model, texts)
