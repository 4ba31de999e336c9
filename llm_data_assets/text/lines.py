"""C4's line rules as edits (Raffel et al. 2020, section 2.2): what goes, goes on record."""

import re

from llm_data_assets.text.repair import Edit

# datatrove 0.10 and the C4 code name the same six.
_POLICY = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
_CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")


def clean_lines(text: str) -> tuple[str, list[Edit]]:
    """Remove lines about scripts and policies, and citation marks; positions are those of `text`.

    C4's demand that a line end in punctuation is a signal here, not an edit.
    """
    lowered = text.lower()
    if "javascript" not in lowered and "[" not in text and not any(p in lowered for p in _POLICY):
        return text, []
    kept: list[str] = []
    edits: list[Edit] = []
    start = 0
    lines = text.split("\n")
    kinds = [_kind(line.lower()) for line in lines]
    last_kept = max((i for i, kind in enumerate(kinds) if kind is None), default=-1)
    for number, (line, kind) in enumerate(zip(lines, kinds, strict=True)):
        if kind and 0 <= last_kept < number:  # the line break before it goes with it
            edits.append(Edit(kind, start - 1, len(line) + 1, ""))
        elif kind:
            edits.append(Edit(kind, start, min(len(line) + 1, len(text) - start), ""))
        else:
            for mark in _CITATION.finditer(line):
                edits.append(Edit("citation", start + mark.start(), len(mark.group()), ""))
            kept.append(_CITATION.sub("", line))
        start += len(line) + 1
    return "\n".join(kept), edits


def _kind(line: str) -> str | None:
    if "javascript" in line:
        return "line_javascript"
    return "line_policy" if any(phrase in line for phrase in _POLICY) else None
