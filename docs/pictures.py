"""Draws docs/img/funnel.svg from the tables of a home: `python docs/pictures.py [HOME]`."""

import sys
from pathlib import Path
from xml.sax.saxutils import escape

import llm_data_assets

STAGES = ("raw_corpus", "deduped_corpus", "filtered_corpus", "tokenized_corpus")
# Okabe and Ito's colours, which colour-blind readers can tell apart.
COLOURS = {"kept": "#0072B2", "deduped_corpus": "#E69F00", "filtered_corpus": "#D55E00"}
WIDTH, BAR, LEFT, STEP = 860, 34, 150, 78


def funnel_svg(home: Path | None) -> str:
    """The survivors of each stage as bars, the commonest reasons to leave beside them."""
    connection = llm_data_assets.connect(home)
    docs = dict(
        connection.execute("SELECT stage, sum(docs)::INT FROM funnel GROUP BY stage").fetchall()
    )
    drops = connection.execute(
        "SELECT stage, reason, docs::INT FROM largest_drops ORDER BY docs DESC, reason"
    ).fetchall()
    scale = (WIDTH - LEFT - 240) / docs["raw_corpus"]
    parts = []
    for row, stage in enumerate(STAGES):
        top = 20 + row * STEP
        width = docs[stage] * scale
        name = stage.removesuffix("_corpus")
        parts += [
            f'<text x="{LEFT - 12}" y="{top + 22}" text-anchor="end">{name}</text>',
            f'<rect x="{LEFT}" y="{top}" width="{width:.1f}" height="{BAR}" '
            f'fill="{COLOURS["kept"]}"/>',
            f'<text x="{LEFT + 10}" y="{top + 22}" fill="#fff">{docs[stage]:,} documents</text>',
        ]
        reasons = [(reason, count) for where, reason, count in drops if where == stage][:4]
        if reasons:
            lost = docs[STAGES[row - 1]] - docs[stage]
            parts.append(
                f'<rect x="{LEFT + width:.1f}" y="{top}" width="{lost * scale:.1f}" '
                f'height="{BAR}" fill="{COLOURS[stage]}"/>'
            )
            said = ", ".join(f"{reason} {count}" for reason, count in reasons)
            parts.append(
                f'<text x="{LEFT}" y="{top + BAR + 20}" font-size="13" fill="#444">'
                f"{lost} left: {escape(said)} ...</text>"
            )
    height = 20 + len(STAGES) * STEP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="15"><rect width="100%" height="100%" fill="#fff"/>'
        f"{''.join(parts)}</svg>\n"
    )


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    target = Path(__file__).parent / "img" / "funnel.svg"
    target.write_text(funnel_svg(place), encoding="utf-8")
