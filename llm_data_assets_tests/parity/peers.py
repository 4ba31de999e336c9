"""datatrove itself, as a function from a text to the rule that drops it."""

from collections.abc import Callable
from typing import Any

from llm_data_assets.config.pipeline import Rule
from llm_data_assets.text.rules import load_ruleset
from llm_data_assets.text.stop_words import BY_LANGUAGE
from llm_data_assets.text.words import words as words_here
from llm_data_assets_tests.parity.toolkits import sentences


def datatrove_keeps(filters: str, words: str) -> Callable[[str], list[str]]:
    """The rule of datatrove's filters that drops a text, in a list; an empty one if none does.

    Args:
        filters: "gopher" (repetition, quality) or "fineweb" (these, C4 and FineWeb's own).
        words: "spacy", its default for English, or "space": str.split, and our sentences.
    """
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    language = "en" if words == "spacy" else _splitter("en")
    chain = [GopherRepetitionFilter(language=language), GopherQualityFilter(language=language)]
    if filters == "fineweb":
        chain += [
            C4QualityFilter(filter_no_terminal_punct=False, language=language),
            FineWebQualityFilter(language=language),
        ]
    return _keeps(chain)


def fineweb2_keeps(config: str, language: str, words: str) -> Callable[[str], list[str]]:
    """The same of FineWeb-2's pipeline, under the thresholds of the rule set `fineweb2/{config}`.

    Args:
        config: FineWeb-2's name of the language, such as "deu_Latn"; language: ours, such as "de".
        words: "own", datatrove's splitter for the language, or "here", the words found here.
    """
    from datatrove.pipeline.filters import (
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    rules = [Rule.model_validate(each) for each in load_ruleset(f"fineweb2/{config}")]
    bounds = {rule.signal.removesuffix("__datatrove"): rule for rule in rules}
    most = {name: rule.max for name, rule in bounds.items()}
    least = {name: rule.min for name, rule in bounds.items()}
    split = config if words == "own" else _splitter(language)
    return _keeps(
        [
            GopherRepetitionFilter(
                dup_para_frac=None,
                dup_para_char_frac=None,
                dup_line_char_frac=None,
                dup_line_frac=most["dup_line_frac"],
                top_n_grams=tuple((n, most[f"top_{n}gram"]) for n in (2, 3, 4)),
                dup_n_grams=tuple((n, most[f"dup_{n}grams"]) for n in range(5, 11)),
                language=split,
            ),
            FineWebQualityFilter(
                line_punct_thr=least.get("line_punctuation", 0),
                short_line_thr=999,
                char_duplicates_ratio=most["dup_chars"],
                new_line_ratio=most["newlines_per_word"],
                language=split,
            ),
            GopherQualityFilter(
                min_avg_word_length=least["mean_word_length"],
                max_avg_word_length=most["mean_word_length"],
                max_non_alpha_words_ratio=least["alphabetic_words"],
                stop_words=BY_LANGUAGE[language].split(),
                language=split,
            ),
        ]
    )


def _splitter(language: str) -> Any:
    """Words and sentences as they are found here, as datatrove asks for them."""
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Here(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return words_here(text, language)

        def sent_tokenize(self, text: str) -> list[str]:
            return [""] * sentences(text)

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, 0)] * sentences(text)

    return Here()


def _keeps(chain: list[Any]) -> Callable[[str], list[str]]:
    from datatrove.data import Document

    def keeps(text: str) -> list[str]:
        document = Document(text=text, id="")
        for each in chain:
            try:
                result = each.filter(document)
            except ZeroDivisionError:
                return ["nothing to divide by"]
            if result is not True:
                return [result[1] if isinstance(result, tuple) else "dropped"]
        return []

    return keeps


# What datatrove's reasons are called in the rule set `fineweb`.
REASONS = {
    "dup_para_frac": "fineweb_dup_paragraphs",
    "dup_para_char_frac": "fineweb_dup_paragraph_chars",
    "dup_line_frac": "fineweb_dup_lines",
    "dup_line_char_frac": "fineweb_dup_line_chars",
    **{f"top_{n}_gram": f"fineweb_top_{n}gram" for n in (2, 3, 4)},
    **{f"duplicated_{n}_n_grams": f"fineweb_dup_{n}grams" for n in range(5, 11)},
    "gopher_short_doc": "fineweb_words",
    "gopher_long_doc": "fineweb_words",
    "gopher_below_avg_threshold": "fineweb_word_length",
    "gopher_above_avg_threshold": "fineweb_word_length",
    "gopher_too_many_hashes": "fineweb_hashes",
    "gopher_too_many_ellipsis": "fineweb_ellipses",
    "gopher_too_many_bullets": "fineweb_bullet_lines",
    "gopher_too_many_end_ellipsis": "fineweb_ellipsis_lines",
    "gopher_below_alpha_threshold": "fineweb_alphabetic_words",
    "gopher_enough_stop_words": "fineweb_stop_words",
    "lorem_ipsum": "fineweb_c4_lorem_ipsum",
    "curly_bracket": "fineweb_c4_curly_bracket",
    "too_few_sentences": "fineweb_c4_sentences",
    "line_punct_ratio": "fineweb_line_punctuation",
    "short_line_ratio": "fineweb_short_lines",
    "char_dup_ratio": "fineweb_duplicate_chars",
    "list_ratio": "fineweb_newlines",
}
