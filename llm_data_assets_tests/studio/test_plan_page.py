"""The page of a budget: what `llm-data plan` says, beside the tokens of the home."""

from itertools import product
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.planning.laws import EPOCH, STANDARD
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise
from llm_data_assets.stages.stage import Partition
from llm_data_assets.studio.pages import plan
from llm_data_assets.studio.reader import Panel, Reader


def panels(reader: Reader, query: dict[str, str]) -> dict[str, Panel]:
    return {panel.name: panel for panel in plan.page(reader, query)["panels"]}


def test_a_budget_stands_under_every_law(reader: Reader) -> None:
    laws = panels(reader, {"flops": "5.76e23"})["laws"]
    assert [row["law"] for row in laws.rows] == list(STANDARD)
    assert laws.rows[3]["loss"] == pytest.approx(1.9, abs=0.1)
    assert laws.command == "llm-data plan --flops 5.76e23"


def test_the_run_is_shared_out_as_the_mixture_is(reader: Reader) -> None:
    query = {"tokens": "10M", "recipe": "small", "law": "epoch"}
    found = panels(reader, query)["wanted"]
    assert [row["source"] for row in found.rows] == ["first", "second"]
    assert sum(row["wanted"] for row in found.rows) == pytest.approx(10_000_000, abs=2)
    assert all(row["shortfall"] > 0 for row in found.rows)
    assert found.command == "llm-data plan --tokens 10M --law epoch --recipe small"


def test_every_picture_is_there(client: TestClient) -> None:
    page = client.get("/plan", params={"params": "1B"}).text
    titles = (
        "The budget under each law",
        "Lines of equal loss under chinchilla_1",
        "IsoFLOP curves",
        "Tokens wanted (outline)",
        "Worth of one more pass",
    )
    assert [title for title in titles if title not in page] == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"flops": "much"}, "is no quantity"),
        ({"flops": "-1e23"}, "is not a positive number"),
        ({"gpu_hours": "1M", "device": "abacus"}, "is not in the table"),
        ({"params": "1B", "law": "gopher"}, "is unknown"),
        ({"params": "1B", "tokens": "1T", "flops": "1e22"}, "Try: "),
    ],
)
def test_a_budget_that_cannot_be_is_said(
    client: TestClient, query: dict[str, str], said: str
) -> None:
    page = client.get("/plan", params=query)
    assert page.status_code == 200 and said in page.text


def test_a_law_of_one_s_own_is_drawn_with_its_runs(home: Workspace, tmp_path: Path) -> None:
    runs = product((1e8, 3e8, 1e9, 3e9), (2e9, 8e9, 3e10, 1e11))
    lines = [f"{n:g},{d:g},{EPOCH.loss(n, d):.6f}" for n, d in runs]
    (tmp_path / "runs.csv").write_text("\n".join(["params,tokens,loss", *lines]))
    file = tmp_path / "pipeline.yaml"
    text = home.pipeline.path.read_text(encoding="utf-8")
    plan_yaml = "{tokens: 1B, law: own, runs: runs.csv, drop_highest: 0, resamples: 4}"
    file.write_text(f"{text}\nplan: {plan_yaml}\n", encoding="utf-8")
    own = open_workspace(tmp_path / "home", home.catalog.path, file)
    for name in ("scaling_fit", "budget_plan"):
        materialise(STAGES[name], Partition(), own)
    page = plan.page(Reader(own), {})
    assert page["law"] == "own" and page["asked"] == {"tokens": "1B"}
    assert set(page["fit_pictures"]) == {"loss_surface", "isoflop", "residual_plot"}
    constants = {row["name"]: row["value"] for row in page["panels"][-1].rows}
    assert constants["alpha"] == pytest.approx(EPOCH.alpha, abs=0.01)
