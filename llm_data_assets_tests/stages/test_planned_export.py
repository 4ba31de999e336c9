"""The plan as assets: what is wanted, what is there, and an export that the plan refuses."""

import json
from pathlib import Path

import numpy as np
import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.planning.estimate import estimate_tokens
from llm_data_assets.stages.data_gap import recipe_gaps
from llm_data_assets.stages.export_out import export_to
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import Materialised, lake_of, materialise
from llm_data_assets.stages.stage import Context, Partition
from llm_data_assets.stages.versions import is_fresh
from llm_data_assets_tests.conftest import write_small_workspace
from llm_data_assets_tests.stages.test_whole_flow import copied, materialise_all

RECIPE = Partition(recipe="small")


def planned(workspace: Workspace, plan: str) -> Workspace:
    """The workspace with this `plan` in its pipeline."""
    path = workspace.pipeline.path
    lines = [line for line in path.read_text().splitlines() if not line.startswith("plan:")]
    path.write_text("\n".join([*lines, f"plan: {plan}", ""]))
    return open_workspace(workspace.home, workspace.catalog.path, path)


def gap(workspace: Workspace) -> Materialised:
    materialise(STAGES["scaling_fit"], Partition(), workspace)
    materialise(STAGES["budget_plan"], Partition(), workspace)
    return materialise(STAGES["data_gap"], RECIPE, workspace)


@pytest.fixture(scope="module")
def without_plan(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A whole run; copied for each test."""
    workspace = write_small_workspace(tmp_path_factory.mktemp("made"))
    materialise_all(workspace)
    return workspace


@pytest.fixture
def made(without_plan: Workspace, tmp_path: Path) -> Workspace:
    """A copy of one's own."""
    return copied(without_plan, tmp_path / "own")


def test_an_undertrained_run_goes_out_only_with_a_reason(made: Workspace) -> None:
    refused = planned(made, "{tokens: 1M}")
    done = gap(refused)
    assert [check.name for check in done.blocked_by(STAGES["data_gap"])] == ["plan_allows_export"]
    (problem,) = done.checks["plan_allows_export"].samples
    assert str(problem["problem"]).startswith("undertrained: the run has ")
    for export in (
        lambda: materialise(STAGES["training_export"], RECIPE, refused),
        lambda: export_to(refused, "small", "jsonl", str(made.home / "out")),
    ):
        with pytest.raises(ConfigError, match=r"plan: the run of 'small' may not go out: undertr"):
            export()
    allowed = planned(made, "{tokens: 1M, override: {small: a smoke test}}")
    done = gap(allowed)
    check = done.checks["plan_allows_export"]
    assert (check.passed, check.expected) == (True, "overridden: a smoke test")
    stage = STAGES["training_export"]
    assert not is_fresh(stage, Context(allowed, lake_of(allowed), RECIPE), STAGES)
    materialise(stage, RECIPE, allowed)
    manifest = json.loads((made.home / "exports" / "small" / "manifest.json").read_text())
    assert manifest["budget"]["override"] == "a smoke test"
    assert manifest["budget"]["problems"][0].startswith("undertrained")


def test_an_over_repeated_run_is_refused(made: Workspace) -> None:
    plan = "{tokens: 1M, min_token_share: 0.0001, max_epochs: 0.5}"
    done = gap(planned(made, plan))
    first, second = (each["problem"] for each in done.checks["plan_allows_export"].samples)
    assert str(first).startswith("over-repeated: first is read 0.9")
    assert str(second).startswith("over-repeated: second is read ")
    done = gap(planned(made, plan.replace("0.5", "1.5")))
    assert not done.blocked_by(STAGES["data_gap"])


def test_the_tables_say_what_is_wanted_and_missing(made: Workspace) -> None:
    workspace = planned(made, "{tokens: 1M, override: {small: to look}}")
    gap(workspace)
    connection = connect(workspace.home)
    laws = connection.execute("SELECT law FROM budget_plan WHERE chosen").fetchall()
    assert laws == [("chinchilla_1",)]
    rows = connection.execute(
        "SELECT source, wanted, there, shortfall, basis FROM data_gap ORDER BY source"
    ).fetchall()
    assert [row[0] for row in rows] == ["first", "second"]
    assert sum(row[1] for row in rows) == pytest.approx(1e6)
    assert all(row[3] == pytest.approx(row[1] / 4 - row[2]) for row in rows)
    assert {row[4] for row in rows} == {"tokenized"}
    told = recipe_gaps(workspace, "small", 1e6)
    assert [(row["source"], row["shortfall"]) for row in told] == [(row[0], row[3]) for row in rows]


def test_without_a_budget_nothing_is_wanted_nor_refused(made: Workspace) -> None:
    connection = connect(made.home)
    assert connection.execute("SELECT count(*) FROM budget_plan").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM data_gap").fetchone() == (0,)


def test_sources_that_are_not_read_yet_are_estimated(small_workspace: Workspace) -> None:
    first, second = recipe_gaps(small_workspace, "small", 1e6)
    lines = (small_workspace.catalog.path.parent / "first.jsonl").read_text().splitlines()
    n_bytes = sum(len(json.loads(line)["text"].encode()) for line in lines)
    assert first["there"] == round(n_bytes / 4)
    assert first["there_low"] < first["there"] < first["there_high"]
    assert first["basis"].startswith("sample of 8 records, a prior of 4 bytes a token")
    assert second["basis"].startswith("sample of 7 records")


def test_an_estimate_scales_to_what_is_stored() -> None:
    found = estimate_tokens(np.array([400, 400, 400]), 1_500, 15_000, 4.0)
    assert (found.tokens, found.low, found.high) == (3_000, 3_000, 3_000)
    with pytest.raises(ValueError, match="no record could be read"):
        estimate_tokens(np.array([], np.int64), 0, 100, None)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("{flops: -1e23}", "plan.flops: -1e23 is not a positive number. Try: flops: 5.76e23"),
        ("{params: 70}", "plan.params: 70 is outside"),
        ("{gpu_hours: 1M}", "plan.gpu_hours: no device was named. Try: device: H100"),
        ("{gpu_hours: 1M, device: abacus}", "plan.device: 'abacus' is not in the table"),
        ("{tokens: 1B, law: gopher}", "plan.law: 'gopher' is unknown. Try: one of kaplan"),
        ("{tokens: 1B, law: own}", "plan.law: 'own' needs a law that was fitted"),
        ("{flops: 1e23, params: 7B, tokens: 1T}", "were all given"),
    ],
)
def test_a_budget_that_makes_no_sense_names_its_line(
    small_workspace: Workspace, plan: str, said: str
) -> None:
    workspace = planned(small_workspace, plan)
    with pytest.raises(ConfigError) as error:
        materialise(STAGES["budget_plan"], Partition(), workspace)
    assert said in str(error.value)
    assert "pipeline.yaml:" in str(error.value)


def test_an_override_says_why(small_workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match="gives no reason"):
        planned(small_workspace, "{override: {small: ' '}}")


def test_ones_own_runs_become_a_law(small_workspace: Workspace, shared_data: Path) -> None:
    runs = shared_data.parent / "reference" / "data" / "chinchilla_fig4_svg_extracted_245.csv"
    workspace = planned(small_workspace, f"{{runs: '{runs}', flops: 1e21, law: own, resamples: 3}}")
    done = materialise(STAGES["scaling_fit"], Partition(), workspace)
    assert done.outcome.figures["objective"] == pytest.approx(0.00101827, abs=1e-8)
    materialise(STAGES["budget_plan"], Partition(), workspace)
    connection = connect(workspace.home)
    assert connection.execute("SELECT law FROM budget_plan WHERE chosen").fetchall() == [("own",)]
    counts = connection.execute(
        "SELECT kind, count(*) FROM scaling_fit WHERE fit = 'parametric' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert counts == [("constant", 10), ("residual", 240)]
