"""Making a pinned set again in an empty home, and saying where it is not the same."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from llm_data_assets import __version__
from llm_data_assets.config.catalog import Catalog
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.loading import load
from llm_data_assets.config.pipeline import Pipeline
from llm_data_assets.config.takedowns import read_takedowns
from llm_data_assets.config.workspace import Workspace, make_home
from llm_data_assets.lake.shard_files import ShardFile, content_version
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.source_files import files_of
from llm_data_assets.stages.stage import Context
from llm_data_assets.stages.versions import config_hash, input_version
from llm_data_assets.versions.pins import Pin, files_by_table

_SHOWN = 5


def workspace_of(pin: Pin, workspace: Workspace, home: Path) -> Workspace:
    """The workspace that a pin was made in, on an empty `home` or on one of a rebuild cut off.

    The configuration is the pin's own; relative places start where those of `workspace` do.

    Raises:
        ConfigError: the home holds something else; or what the pin was made from is not there
            any more: files, code, or documents that were taken down since.
    """
    marker = home / "pin" / f"{pin['digest']}.pin"
    if home.exists() and any(home.iterdir()) and not marker.exists():
        raise ConfigError(str(home), "", "is not empty", "a new folder for the rebuild")
    make_home(home)
    marker.parent.mkdir(exist_ok=True)
    marker.touch()
    for kind in ("catalog", "pipeline"):
        (marker.parent / f"{kind}.yaml").write_text(pin[kind], encoding="utf-8")
    catalog = load(marker.parent / "catalog.yaml", Catalog)
    pipeline = load(marker.parent / "pipeline.yaml", Pipeline)
    found = Workspace(
        home.absolute(),
        replace(catalog, path=workspace.catalog.path),
        replace(pipeline, path=workspace.pipeline.path),
    )
    _refuse_gone_inputs(pin, found)
    _refuse_other_code(pin, found)
    return found


def differences(pin: Pin, workspace: Workspace) -> list[str]:
    """Tables and partitions whose content is not the pinned one; none if all bytes are equal."""
    made = files_by_table(lake_of(workspace))
    found = []
    for table, paths in sorted(pin["tables"].items()):
        then, now = _contents(paths), _contents(made.get(table, []))
        for place in sorted(then.keys() | now.keys()):
            if then.get(place) != now.get(place):
                found.append(f"{table} {place}".strip())
    return found


def other_packages(pin: Pin) -> list[str]:
    """Packages that are not of the version the pin was made with."""
    return [
        f"{name} {then} then, {now} now"
        for name, then in pin["packages"].items()
        if (now := version(name)) != then
    ]


def _contents(paths: list[str]) -> Mapping[str, str]:
    """Digest of the content of each partition's files."""
    by_place: dict[str, list[ShardFile]] = {}
    for path in map(PurePosixPath, paths):
        place = "" if str(path.parent) == "." else str(path.parent)
        by_place.setdefault(place, []).append(ShardFile.parse(path.name))
    return {place: content_version(files) for place, files in by_place.items()}


def _refuse_gone_inputs(pin: Pin, workspace: Workspace) -> None:
    since = len(read_takedowns(workspace.audit)) - pin["takedowns"]
    if since > 0:
        raise ConfigError(
            pin["name"], "", f"{since} takedowns were recorded since; what went is not made again",
            "`llm-data run`, then pin what is left under another name",
        )  # fmt: skip
    gone = []
    for source, then in pin["inputs"].items():
        try:
            now = {file.uri: file.checksum for file in files_of(workspace, source)}
        except ConfigError as error:
            gone.append(f"{source} ({error.problem})")
            continue
        for uri in sorted(then.keys() | now.keys()):
            if then.get(uri) != now.get(uri):
                what = "gone" if uri not in now else "new" if uri not in then else "changed"
                gone.append(f"{source}: {uri} ({what})")
    if gone:
        more = "" if len(gone) <= _SHOWN else f" and {len(gone) - _SHOWN} more"
        raise ConfigError(
            pin["name"], "", f"its inputs are not there: {', '.join(gone[:_SHOWN])}{more}",
            "put the files back as they were: the pin holds their checksums. If the home of the "
            "pin is there, its tables are too: `llm-data diff` reads them",
        )  # fmt: skip


def _refuse_other_code(pin: Pin, workspace: Workspace) -> None:
    by_name = {(row["stage"], row["partition"]): row for row in pin["partitions"]}
    lake, other = lake_of(workspace), []
    for stage in STAGES.values():
        for partition in stage.partitions(workspace):
            row = by_name.get((stage.name, partition.key))
            context = Context(workspace, lake, partition)
            if row is None:
                continue
            if row["code_version"] != stage.code_version:
                other.append(f"{stage.name} ({row['code_version']}, now {stage.code_version})")
            elif row["config_hash"] != config_hash(stage, context):
                other.append(f"{stage.name} (settings are read otherwise)")
            elif not stage.upstream and row["input_version"] != input_version(
                stage, context, STAGES
            ):
                other.append(f"{stage.name}/{partition.key} (its input files)".replace("/ ", " "))
    if other:
        listed = ", ".join(dict.fromkeys(other))
        raise ConfigError(
            pin["name"], "", f"was made by llm-data-assets {pin['code']}, this is {__version__}; "
            f"what differs: {listed}",
            "install the version of the code that pinned it, and put its input files back",
        )  # fmt: skip
