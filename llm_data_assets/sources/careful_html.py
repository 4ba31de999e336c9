"""HTML to text by trafilatura: slower than resiliparse, and more careful about boilerplate."""

import importlib.util

from llm_data_assets.sources.document import UnreadableFileError


def main_text(html: str, *, favour_recall: bool) -> str:
    """Headings, lists, code and tables line by line; empty where trafilatura finds no text.

    Raises:
        UnreadableFileError: the extra `careful` is not installed.
    """
    if importlib.util.find_spec("trafilatura") is None:
        raise UnreadableFileError(
            "no trafilatura: the option `extractor: trafilatura` needs it. "
            "Try: pip install 'llm_data_assets[careful]'"
        )
    import trafilatura

    found = trafilatura.extract(
        html, include_comments=False, include_tables=True, deduplicate=False,
        favor_recall=favour_recall, fast=False,
    )  # fmt: skip
    return found or ""
