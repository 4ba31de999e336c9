"""The corpus report and the cards of recipes as assets, after the models they read."""

from pathlib import Path

import dagster as dg

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.defs.stage_assets import OWNER
from llm_data_assets.defs.studio_links import studio_link
from llm_data_assets.lake.models import load_models
from llm_data_assets.stages.publication import publish_now
from llm_data_assets.studio.cards.write import CARDS, write_cards
from llm_data_assets.studio.report import write_report

REPORT = "corpus_report"


def report_file(workspace: Workspace) -> Path:
    """Where the newest report of a home lies."""
    return workspace.home / "reports" / "corpus_report.html"


def report_asset(workspace: Workspace) -> dg.AssetsDefinition:
    """`corpus_report`: <home>/reports/corpus_report.html."""

    @dg.asset(
        name=REPORT,
        deps=sorted(load_models()),
        group_name="models",
        kinds={"html"},
        owners=[OWNER],
        description="Flow, checks, duplicates, filters, mixture and tokenizer in one HTML file "
        "that loads nothing: aggregates and capped, masked samples.",
        metadata=studio_link(REPORT),
    )
    def corpus_report() -> dg.MaterializeResult:
        publish_now(workspace)
        file = write_report(workspace, report_file(workspace))
        return dg.MaterializeResult(
            metadata={
                "file": dg.MetadataValue.path(str(file)),
                "bytes": file.stat().st_size,
            }
        )

    return corpus_report


_CARDS = {
    "datasheet": "The questions of Gebru et al. 2021, answered from the tables where they can be, "
    "the rest marked to fill in.",
    "croissant": "Croissant JSON-LD of the exported files, and the contents as CSV.",
    "license_list": "Licences of the run as SPDX 2.3, and every document that is to be named.",
    "lineage_events": "OpenLineage events of every run that the recipe is made from.",
}
_READS = ("recipe_contents", "mixture", "drops", "exposure", "latest_checks", "latest_stats")


def card_assets(workspace: Workspace) -> list[dg.AssetsDefinition]:
    """The cards of each recipe: files in <home>/cards/<recipe>/."""
    return [_card_asset(name, workspace) for name in CARDS]


def _card_asset(name: str, workspace: Workspace) -> dg.AssetsDefinition:
    @dg.asset(
        name=name,
        deps=["training_export", *_READS],
        partitions_def=dg.StaticPartitionsDefinition(workspace.recipes),
        group_name="cards",
        kinds={"file"},
        owners=[OWNER],
        description=_CARDS[name],
        metadata=studio_link(name),
    )
    def card(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        recipe = context.partition_key
        files = write_cards(workspace, recipe, workspace.home / "cards" / recipe, name)
        return dg.MaterializeResult(
            metadata={
                "files": dg.MetadataValue.json([str(file) for file in files]),
                "bytes": sum(file.stat().st_size for file in files),
            }
        )

    return card
