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
