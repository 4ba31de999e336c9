"""What an asset shows of the studio inside Dagster: a link to its screen, and a small river."""

import base64
import os
from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

import dagster as dg

STUDIO_URL = "LLM_DATA_STUDIO_URL"
_SCREENS = {
    "document_signatures": "/duplicates",
    "duplicates": "/duplicates",
    "removed_signals": "/duplicates",
    "duplicate_groups": "/duplicates",
    "duplicate_pairs": "/duplicates",
    "removed_against_kept": "/duplicates",
    "duplicate_similarity": "/duplicates",
    "quality_signals": "/filters",
    "measured_documents": "/explore",
    "stage_history": "/compare",
    "signal_drift": "/compare",
    "filtered_corpus": "/filters",
    "mixture": "/mix",
    "mixture_plan": "/mix",
    "mixed_corpus": "/mix",
    "training_export": "/mix",
    "scaling_fit": "/plan",
    "budget_plan": "/plan",
    "data_gap": "/plan",
    "source_gap": "/plan",
    "fitted_law": "/plan",
    "fitted_runs": "/plan",
    "known_models": "/plan",
    "known_datasets": "/plan",
    "known_numbers": "/plan",
    "tokenizer": "/tokenizer",
    "tokenizer_report": "/tokenizer",
    "tokenized_corpus": "/tokenizer",
    "token_inventory": "/tokenizer",
    "tokenizer_figures": "/tokenizer",
    "tokenizers": "/tokenizer",
    "raw_instructions": "/instructions",
    "instruction_duplicates": "/instructions",
    "deduped_instructions": "/instructions",
    "scored_instructions": "/instructions",
    "selected_instructions": "/instructions",
    "instruction_mix": "/instructions",
    "instruction_funnel": "/instructions",
    "instruction_figures": "/instructions",
    "instruction_losses": "/instructions",
    "raw_pairs": "/media",
    "pair_duplicates": "/media",
    "deduped_pairs": "/media",
    "pair_signals": "/media",
    "filtered_pairs": "/media",
    "media_contents": "/media",
    "media_reasons": "/media",
    "latest_checks": "/checks",
    "check_history": "/checks",
    "corpus_contents": "/card",
    "exposure": "/card",
    "exposed_exports": "/card",
    "recipe_reach": "/card",
    "recipe_contents": "/card",
    "datasheet": "/card",
    "croissant": "/card",
    "license_list": "/card",
    "lineage_events": "/card",
}
_WIDTH, _HEIGHT, _BAND = 560, 150, 90  # pixels; Dagster shows a picture 300 wide unless told


def studio_link(asset: str, source: str | None = None) -> dict[str, dg.MetadataValue]:
    """The asset's screen in the studio; empty where LLM_DATA_STUDIO_URL is not set."""
    return _link(_SCREENS.get(asset, "/"), {"source": source} if source else {})


def check_link(asset: str) -> dict[str, dg.MetadataValue]:
    """The wall of checks, at those of `asset`."""
    return _link("/checks", {"asset": asset})


def _link(path: str, query: Mapping[str, str]) -> dict[str, dg.MetadataValue]:
    base = os.environ.get(STUDIO_URL, "").rstrip("/")
    if not base:
        return {}
    return {"studio": dg.MetadataValue.url(base + path + (f"?{urlencode(query)}" if query else ""))}


def river(docs_in: int, drops: Mapping[str, int]) -> dg.MetadataValue:
    """Documents of a partition as a band that loses a named strip for each reason, largest first.

    Heights at the left are in proportion; the five largest losses are named, the rest is one strip.
    """
    ordered = sorted(drops.items(), key=lambda item: (-item[1], item[0]))
    strips = ordered[:5]
    if rest := sum(n for _, n in ordered[5:]):
        strips.append(("other reasons", rest))
    kept = docs_in - sum(drops.values())
    scale = _BAND / max(1, docs_in)
    parts = [_strip(0.0, kept * scale, "#0072b2", f"{kept:,} stay", 16)]
    top = kept * scale
    for index, (reason, n) in enumerate(strips):
        parts.append(_strip(top, n * scale, "#d55e00", f"{n:,} {reason}", 34 + 18 * index))
        top += n * scale
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
        f'<text x="8" y="16">{docs_in:,} documents</text>{"".join(parts)}</svg>'
    )
    encoded = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(
        f"![{docs_in:,} in, {kept:,} out](data:image/svg+xml;base64,{encoded})"
    )


def _strip(top: float, height: float, colour: str, label: str, label_y: int) -> str:
    left, bend, right, y = 8, 150, 330, 30 + top
    end = label_y - 4
    bottom = end + min(height, 14)
    return (
        f'<path d="M{left} {y:.1f}C{bend} {y:.1f} {bend} {end} {right} {end}'
        f"L{right} {bottom:.1f}C{bend} {bottom:.1f} {bend} {y + height:.1f} {left} "
        f'{y + height:.1f}Z" fill="{colour}" fill-opacity="0.6"/>'
        f'<text x="{right + 8}" y="{label_y + 6}">{escape(label)}</text>'
    )
