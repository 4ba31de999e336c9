"""Sources on an object store and exports to one: what fails in between is tried again or said."""

import gzip
import json
from pathlib import Path

import fsspec
import pytest
import yaml

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.lake.storage import StorageError
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import read_documents
from llm_data_assets.stages.export_out import export_to
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise
from llm_data_assets.stages.source_files import files_of, files_version
from llm_data_assets.stages.stage import Partition
from llm_data_assets_tests.conftest import sentence, write_workspace
from llm_data_assets_tests.storage.conftest import Environ, Store

RAW = (STAGES["raw_corpus"], Partition(source="web"))


def put(bucket: str, name: str, count: int, first: int = 0) -> None:
    lines = "".join(json.dumps({"id": f"{name}{i}", "text": sentence(i)}) + "\n"
                    for i in range(first, first + count))  # fmt: skip
    data = gzip.compress(lines.encode(), mtime=0) if name.endswith(".gz") else lines.encode()
    with fsspec.open(f"s3://{bucket}/in/{name}", "wb") as stream:
        stream.write(data)


@pytest.fixture
def workspace(bucket: str, tmp_path: Path) -> Workspace:
    """A source of two files on the store."""
    put(bucket, "a.jsonl", 4)
    put(bucket, "b.jsonl.gz", 4, first=20)
    written = write_workspace(tmp_path, {"web": []})
    catalog = yaml.safe_load(written.catalog.path.read_text())
    catalog["sources"]["web"]["uris"] = [f"s3://{bucket}/in/*.jsonl*"]
    written.catalog.path.write_text(yaml.safe_dump(catalog))
    return open_workspace(written.home, written.catalog.path, written.pipeline.path)


def documents(workspace: Workspace) -> list[tuple[str, str]]:
    found = connect(workspace.home).execute("SELECT doc_id, text FROM raw_corpus ORDER BY doc_id")
    return found.fetchall()


def test_a_source_is_read_as_from_a_disk(workspace: Workspace, bucket: str) -> None:
    materialise(*RAW, workspace)
    assert [text for _, text in documents(workspace)] == [
        sentence(i) for i in (0, 1, 2, 3, 20, 21, 22, 23)
    ]
    origins = connect(workspace.home).execute("SELECT DISTINCT origin.file FROM raw_corpus")
    assert sorted(origins.fetchall()) == [
        (f"s3://{bucket}/in/a.jsonl",), (f"s3://{bucket}/in/b.jsonl.gz",),
    ]  # fmt: skip


def test_a_new_and_a_changed_file_are_seen_by_the_same_process(
    workspace: Workspace, bucket: str
) -> None:
    before = files_version(workspace, "web")
    put(bucket, "c.jsonl", 1, first=30)
    assert len(files_of(workspace, "web")) == 3
    more = files_version(workspace, "web")
    put(bucket, "c.jsonl", 1, first=31)
    assert len({before, more, files_version(workspace, "web")}) == 3


@pytest.mark.parametrize("status", ["503 Slow Down", "500 Internal Server Error"])
def test_a_store_that_is_busy_is_asked_again(
    workspace: Workspace, store: Store, status: str
) -> None:
    store.busy(2, status=status)
    materialise(*RAW, workspace)
    assert len(documents(workspace)) == 8
    store.busy(2, "GET", status=status)
    (file, _) = files_of(workspace, "web")
    assert len(list(read_documents("jsonl", file, {}))) == 4


def test_a_slow_answer_is_waited_for(workspace: Workspace, store: Store) -> None:
    store.slow(3, 0.5)
    materialise(*RAW, workspace)
    assert len(documents(workspace)) == 8


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "ExpiredToken", "AccessDenied"])
def test_refused_credentials_are_said_to_be_so(
    workspace: Workspace, store: Store, code: str
) -> None:
    store.denied(code)
    with pytest.raises(ConfigError, match=r"could not be listed.*Try: .*credentials") as told:
        files_of(workspace, "web")
    assert "catalog.yaml" in str(told.value) and "s3://" in str(told.value)


def test_credentials_that_expire_in_mid_run_lose_nothing(
    workspace: Workspace, store: Store
) -> None:
    def reads_b(environ: Environ) -> bool:
        return environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith("b.jsonl.gz")

    store.denied("ExpiredToken", reads_b)
    with pytest.raises(StorageError, match=r"b.jsonl.gz could not be read.*Try: .*credentials"):
        materialise(*RAW, workspace)
    store.troubles.clear()
    materialise(*RAW, workspace)
    assert len(documents(workspace)) == 8
    rejects = connect(workspace.home).execute("SELECT count(*) FROM rejects").fetchall()
    assert rejects == [(0,)]


def test_a_file_that_goes_in_mid_run_is_no_reject(workspace: Workspace, bucket: str) -> None:
    (file, _) = files_of(workspace, "web")
    fsspec.filesystem("s3").rm_file(f"{bucket}/in/a.jsonl")
    with pytest.raises(StorageError, match=r"a\.jsonl could not be read \(FileNotFoundError"):
        list(read_documents("jsonl", file, {}))


def test_a_bucket_that_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises((FileNotFoundError, ValueError), match="no-such-bucket"):
        list_files(["s3://no-such-bucket/*.jsonl"], base=tmp_path)


def test_no_credentials_at_all(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    fsspec.filesystem("s3").clear_instance_cache()
    with pytest.raises(ConfigError, match=r"Try: .*AWS_ACCESS_KEY_ID"):
        files_of(workspace, "web")


@pytest.fixture
def mixed(workspace: Workspace) -> Workspace:
    """The flow up to a run that can be exported."""
    for name, stage in STAGES.items():
        if name == "training_export":
            break
        for partition in stage.partitions(workspace):
            materialise(stage, partition, workspace)
    return workspace


def test_an_export_goes_to_a_bucket_and_goes_on_where_it_failed(
    mixed: Workspace, bucket: str, store: Store, tmp_path: Path
) -> None:
    out = f"s3://{bucket}/out"
    store.busy(2, "PUT")
    sent = export_to(mixed, "small", "jsonl", out)
    s3 = fsspec.filesystem("s3")
    assert sent[-1] == f"{out}/manifest.json"
    here = export_to(mixed, "small", "jsonl", str(tmp_path / "out"))
    for there, local in zip(sent, here, strict=True):
        assert s3.cat_file(there) == Path(local).read_bytes()
    manifest = f"{bucket}/out/manifest.json"
    store.denied("ExpiredToken", lambda environ: environ["REQUEST_METHOD"] == "PUT"
                 and environ["PATH_INFO"].endswith(".zst"))  # fmt: skip
    with pytest.raises(StorageError, match=r"out could not be written.*Try: .*credentials"):
        export_to(mixed, "small", "jsonl", out)
    s3.invalidate_cache()
    assert not s3.exists(manifest)  # half of an export is no export
    store.troubles.clear()
    assert export_to(mixed, "small", "jsonl", out) == sent
    s3.invalidate_cache()
    assert s3.exists(manifest)
