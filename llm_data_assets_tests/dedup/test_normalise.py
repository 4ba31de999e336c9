"""`normalise` folds away what editions of one text differ in; the kernel does the same."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.dedup.chunks import over_chunks
from llm_data_assets.dedup.codepoints import KIND, TO_PYTHON, code_points
from llm_data_assets.dedup.kernels import fold_texts
from llm_data_assets.dedup.normalise import is_unspaced, normalise

# Characters that compose, change places, grow, vanish or change case in uncommon ways.
AWKWARD = (
    "aeAEo\u00df\u0130\u0131\u0345\u0391\u03b1\u03b9\u03a3\u03c2\u1e9e\ufb03\u01c4"
    "\u0300\u0301\u0308\u0323\u0327\u0338\u093c\u0915\u0958\u09c7\u09be\u09d7\u0bc6\u0bbe"
    "\u1100\u1161\u11a8\uac00\u314b\u314f\u304b\u3099\u309b\uff76\uff9e\u0e01\u0e33\u0e48"
    "\u00ad\u034f\u200b\u200d\ufe0f\ufeff\u00b4\u00bd\u2026\u2019\u201c_<= .\n9\u2460\u33a1"
    "\u0f71\u0f72\u0f73\u05d0\u05b7\u05bc\ufb2e\u0628\u064e\u0651\u4e2d\uf900\U0001f600\U00020000\U000e0100"
)


def folded(texts: list[str]) -> list[str]:
    """The texts as the kernel (with its way out to Python) folds them."""
    out = []
    for values, offsets in over_chunks(pa.array(texts, pa.string()), fold_texts):
        out += [values[start:stop].tobytes().decode() for start, stop in pairwise(offsets)]
    return out


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", ""),
        (" \t\n", ""),
        ("The “Straße” — _Nº 5_ …", "the strasse no 5"),
        ("don't", "don t"),
        ("don’t", "don t"),
        ("don´t", "don t"),
        ("co\u00adoper\u200bate", "cooperate"),
        ("\ufeffＦｕｌｌ ｗｉｄｔｈ １２", "full width 12"),
        ("½ of 3.14", "1 2 of 3 14"),
        ("cafe\u0301 CAFÉ", "café café"),
        ("x\u00a0\u2003y", "x y"),
        ("snake_case--and—dashes", "snake case and dashes"),
        ("İstanbul", "i\u0307stanbul"),
        ("天気が、いい。", "天気が いい"),
        ("\u0628\u0651\u064e", "\u0628\u064e\u0651"),  # marks in canonical order
        ("ｶﾞｷﾞ", "ガギ"),
        ("❤️ → ∑", ""),
    ],
)
def test_editions_of_a_text_become_one(text: str, key: str) -> None:
    assert normalise(text) == key
    assert folded([text]) == [key]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.one_of(st.sampled_from(AWKWARD), st.characters()), max_size=40)))
def test_the_kernel_folds_every_text_as_the_reference_does(texts: list[str]) -> None:
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    assert folded(texts) == [normalise(text) for text in texts]


@settings(max_examples=200, deadline=None)
@given(st.text(st.one_of(st.sampled_from(AWKWARD), st.characters()), max_size=40))
def test_a_normalised_text_stays_as_it_is(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_every_code_point_is_folded_right_and_few_need_python() -> None:
    characters = [chr(c) for c in range(0x30000) if not 0xD800 <= c <= 0xDFFF]
    # Between letters, so that neighbours on both sides come into play.
    texts = [f"e{character}o" for character in characters]
    assert folded(texts) == [normalise(text) for text in texts]
    assert np.sum(code_points().records & KIND == TO_PYTHON) < 200


def test_every_place_in_a_block_of_ascii_is_folded_alike() -> None:
    texts = ["x" * before + "É, “Z”" + "y" * after for before in range(20) for after in range(20)]
    assert folded(texts) == [normalise(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "unspaced"),
    [
        ("", False),
        ("plain words", False),
        ("今天 天气 很好", True),
        ("ここ は とうきょう", True),
        ("ภาษาไทย", True),
        ("한국어 문장", False),
        ("中文 ab", True),
        ("中文 abc", False),
    ],
)
def test_scripts_without_spaces_are_known(text: str, unspaced: bool) -> None:
    assert is_unspaced(text) is unspaced
