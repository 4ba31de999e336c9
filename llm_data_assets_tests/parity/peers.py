"""datatrove itself, as a function from a text to the rule that drops it."""

from collections.abc import Callable

from llm_data_assets_tests.parity.toolkits import sentences


def datatrove_keeps(filters: str, words: str) -> Callable[[str], list[str]]:
    """The rule of datatrove's filters that drops a text, in a list; an empty one if none does.

    Args:
        filters: "gopher" (repetition, quality) or "fineweb" (these, C4 and FineWeb's own).
        words: "spacy", its default for English, or "space": str.split, and our sentences.
    """
    from datatrove.data import Document
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Space(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

        def sent_tokenize(self, text: str) -> list[str]:
            return [""] * sentences(text)

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, 0)] * sentences(text)

    language = "en" if words == "spacy" else Space()
    chain = [GopherRepetitionFilter(language=language), GopherQualityFilter(language=language)]
    if filters == "fineweb":
        chain += [
            C4QualityFilter(filter_no_terminal_punct=False, language=language),
            FineWebQualityFilter(language=language),
        ]

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
