"""The embedded catalog from files to export: what is planted is caught, and nothing depends on
workers, shards or order."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from llm_data_assets.config.workspace import Workspace, open_workspace, quickstart_folder
from llm_data_assets.engine import local
from llm_data_assets.lake.catalog import connect
from llm_data_assets.lake.schemas import HISTORY
from llm_data_assets.stages import materialise as materialise_module
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import ALL_TABLES, lake_of, materialise
from llm_data_assets.stages.publication import publish_catalog


def materialise_all(workspace: Workspace) -> None:
    """Every partition of every stage, in order; a failed blocking check fails the test.

    The catalog is published once, at the end: half of the time of a small flow.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(materialise_module, "publish_catalog", lambda workspace: None)
        for stage in STAGES.values():
            for partition in stage.partitions(workspace):
                done = materialise(stage, partition, workspace)
                blocked = [check.name for check in done.blocked_by(stage)]
                assert not blocked, (stage.name, partition.key, blocked)
    publish_catalog(workspace)


def copied(workspace: Workspace, folder: Path) -> Workspace:
    """A copy of a workspace whose home lies beside its catalog, with its tables, in `folder`."""
    shutil.copytree(workspace.catalog.path.parent, folder, symlinks=True)
    copy = open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")
    publish_catalog(copy)  # a catalog names files by their whole path
    return copy


def contents(workspace: Workspace) -> dict[str, bytes]:
    """Each table as Arrow IPC bytes, rows in the order of their columns."""
    lake = lake_of(workspace)
    found = {}
    for table in ALL_TABLES:
        if table in HISTORY:
            continue
        rows = lake.read(table)
        keys = [
            (field.name, "ascending")
            for field in table.full_schema
            if not pa.types.is_nested(field.type)
        ]
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows.sort_by(keys).combine_chunks())
        found[table.name] = sink.getvalue().to_pybytes()
    return found


def quickstart_workspace(folder: Path, engine: str) -> Workspace:
    """The embedded catalog with a home of its own and other engine settings."""
    source = quickstart_folder()
    pipeline = folder / "pipeline.yaml"
    folder.mkdir(parents=True)
    text = (source / "pipeline.yaml").read_text(encoding="utf-8")
    evaluation = (source / "files" / "evaluation.jsonl").as_posix()
    text = text.replace("uri: files/evaluation.jsonl", f"uri: {evaluation}")
    pipeline.write_text(f"{text}\nengine: {engine}\n", encoding="utf-8")
    return open_workspace(folder / "home", source / "catalog.yaml", pipeline)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = quickstart_workspace(tmp_path_factory.mktemp("demo") / "w", "{workers: 1}")
    materialise_all(workspace)
    return workspace


def planted() -> list[dict[str, str]]:
    return yaml.safe_load((quickstart_folder() / "planted.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("defect", planted(), ids=lambda each: each["id"])
def test_every_planted_defect_is_caught_by_its_stage(
    demo: Workspace, defect: dict[str, str]
) -> None:
    connection = connect(demo.home)
    if defect["caught_by"] == "rejects":
        sql = "SELECT count(*) FROM rejects WHERE source = $1 AND starts_with(error, $2)"
        found = connection.execute(sql, [defect["source"], defect["as"]])
    elif defect["caught_by"] == "edits":
        sql = """SELECT count(*) FROM edits JOIN raw_corpus USING (source, doc_id)
                 WHERE source = $1 AND kind = $2 AND coalesce(url, title, doc_id) LIKE $3"""
        found = connection.execute(sql, [defect["source"], defect["as"], f"%{defect['where']}%"])
    else:
        sql = """SELECT count(*) FROM verdicts JOIN raw_corpus USING (source, doc_id)
                 WHERE source = $1 AND reason = $2 AND coalesce(url, title, doc_id) LIKE $3
                   AND NOT kept AND position = 0"""
        found = connection.execute(sql, [defect["source"], defect["as"], f"%{defect['where']}%"])
    assert found.fetchall()[0][0] >= 1


def test_masked_text_holds_no_personal_data(demo: Workspace) -> None:
    text = (
        connect(demo.home)
        .execute("SELECT text FROM filtered_corpus WHERE url LIKE '%personal%'")
        .fetchall()[0][0]
    )
    for secret in ("harbour.example.org", "555-0142", "11010519491231002X", "4111", "8.8.8.8"):
        assert secret not in text
    for mark in ("<email>", "<phone>", "<id_card>", "<credit_card>", "<iban>", "<ip>"):
        assert mark in text


def test_in_is_out_plus_dropped_at_every_stage_and_source(demo: Workspace) -> None:
    rows = (
        connect(demo.home)
        .execute(
            """
        SELECT raw.source, raw.docs, coalesce(out.docs, 0), coalesce(gone.docs, 0)
        FROM (SELECT source, docs FROM funnel WHERE stage = 'raw_corpus') AS raw
        LEFT JOIN (SELECT source, docs FROM funnel WHERE stage = 'filtered_corpus') AS out
            USING (source)
        LEFT JOIN (SELECT source, sum(docs) AS docs FROM drops GROUP BY source) AS gone
            USING (source)
        """
        )
        .fetchall()
    )
    assert len(rows) == len(demo.sources)
    for source, came_in, went_out, dropped in rows:
        assert came_in == went_out + dropped, source


@pytest.mark.slow  # the whole flow four times, in processes
def test_workers_and_shards_change_no_byte(
    demo: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_POOL_PAYS_FROM_BYTES", 0)
    other = quickstart_workspace(tmp_path / "w", "{workers: 2, shard_mb: 0.5}")
    materialise_all(other)
    lake = lake_of(other)
    assert len(lake.shards(STAGES["raw_corpus"].table, {"source": "python_stdlib"})) > 3
    expected, found = contents(demo), contents(other)
    assert [name for name in expected if expected[name] != found[name]] == []
    for name in ("corpus-00000.bin", "corpus-00000.idx"):
        path = Path("exports", "demo", "megatron", name)
        assert (demo.home / path).read_bytes() == (other.home / path).read_bytes()
