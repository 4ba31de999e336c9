"""The corpus report as an asset: the studio's pages in one file, after the models it reads."""

import dagster as dg

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.defs.stage_assets import OWNER
from llm_data_assets.lake.models import load_models
from llm_data_assets.studio.report import write_report


def report_asset(workspace: Workspace) -> dg.AssetsDefinition:
    """`corpus_report`: <home>/reports/corpus_report.html."""

    @dg.asset(
        deps=sorted(load_models()),
        group_name="models",
        kinds={"html"},
        owners=[OWNER],
        description="Flow, checks, duplicates, filters, mixture and tokenizer in one HTML file "
        "that loads nothing: aggregates and capped, masked samples.",
    )
    def corpus_report() -> dg.MaterializeResult:
        file = write_report(workspace, workspace.home / "reports" / "corpus_report.html")
        return dg.MaterializeResult(
            metadata={
                "file": dg.MetadataValue.path(str(file)),
                "bytes": file.stat().st_size,
            }
        )

    return corpus_report
