"""A disk that fails while a source is read: an error of the run, never a reject of the data.

`/proc/self/mem` opens, and reading its first page is an I/O error (EIO) of the kernel's own.
"""

import errno
import gzip
import json
import os
from pathlib import Path

import pytest

from llm_data_assets.lake.storage import StorageError
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, list_files
from llm_data_assets.sources.formats import all_formats, load_reader, read_documents

FAILING = "/proc/self/mem"
# What the readers that look at a file's name want it to be called.
NAMES = {
    "librispeech": "a.trans.txt", "librilight": "a.json", "cc12m": "a.tar", "hf_dataset": "a.jsonl",
    "kaggle": "a.csv", "webvid": "a.csv",
}  # fmt: skip


@pytest.fixture(autouse=True)
def failing_file() -> None:
    if not Path(FAILING).exists():
        pytest.skip(f"{FAILING} is not there: Linux alone has it")


@pytest.mark.parametrize("name", sorted(all_formats()))
def test_an_io_error_is_no_reject_in_any_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / NAMES.get(name, "a.txt")
    path.symlink_to(FAILING)
    file = SourceFile(path.name, str(path), 100, "x")
    options = {
        key: "id" if field.annotation is str else None
        for key, field in load_reader(name).Options.model_fields.items()
        if field.is_required()
    }
    with pytest.raises(StorageError, match=rf"{path.name} could not be read .*Try: check the disk"):
        list(read_documents(name, file, options))


@pytest.mark.parametrize("packed", [False, True])
def test_an_io_error_in_mid_read_ends_the_reading(tmp_path: Path, packed: bool) -> None:
    noise = os.urandom(3 << 20).hex()
    lines = [json.dumps({"id": i, "text": noise[i * 4096 : (i + 1) * 4096]}) for i in range(1000)]
    data = "\n".join(lines).encode()
    path = tmp_path / "a.jsonl"
    path.write_bytes(gzip.compress(data) if packed else data)
    (file,) = list_files(["a.jsonl"], base=tmp_path)
    records = read_documents("jsonl", file, {})
    read = [next(records) for _ in range(3)]
    assert all(isinstance(record, Document) for record in read)
    (opened,) = [fd for fd in Path("/proc/self/fd").iterdir() if _leads_to(fd, path)]
    failing = os.open(FAILING, os.O_RDONLY)
    os.dup2(failing, int(opened.name))  # the disk fails under the open file
    os.close(failing)
    with pytest.raises(StorageError, match=r"a\.jsonl could not be read") as told:
        for record in records:
            assert not isinstance(record, Reject)
            read.append(record)
    assert isinstance(told.value.__cause__, OSError) or os.strerror(errno.EIO) in str(told.value)
    assert 3 <= len(read) < 1000


def _leads_to(descriptor: Path, path: Path) -> bool:
    try:
        return descriptor.readlink() == path
    except FileNotFoundError:
        return False


def test_a_file_that_is_gone_since_it_was_listed_is_no_reject(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n')
    (file,) = list_files(["a.jsonl"], base=tmp_path)
    (tmp_path / "a.jsonl").unlink()
    with pytest.raises(StorageError, match=r"a\.jsonl could not be read \(FileNotFoundError"):
        list(read_documents("jsonl", file, {}))
