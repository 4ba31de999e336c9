"""What a page on the plan shows: the tables' rows, and the same pictures as the assets'."""

from pathlib import Path
from typing import Any

from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import BUDGET_PLAN, DATA_GAP
from llm_data_assets.planning.pictures import budget_dots, epoch_values, wanted_and_there


def planning_page(home: Path, recipe: str) -> dict[str, Any]:
    """`budget_plan` and `data_gap` as rows, `pictures` as SVG by title; empty without a budget."""
    lake = Lake(home / "lake")
    budget = lake.read(BUDGET_PLAN).to_pylist()
    gap = lake.read(DATA_GAP, {"recipe": recipe}).to_pylist()
    pictures = {"The budget under each law": budget_dots(budget)} if budget else {}
    if gap:
        pictures["Tokens wanted and there"] = wanted_and_there(gap)
        pictures["Worth of one more pass"] = epoch_values(gap)
    return {"budget_plan": budget, "data_gap": gap, "pictures": pictures}
