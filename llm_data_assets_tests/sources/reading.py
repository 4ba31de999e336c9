"""How these tests read a file: the documents and the rejects of it."""

from pathlib import Path

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import read_documents


def read(path: Path, name: str, **options: object) -> tuple[list[Document], list[Reject]]:
    """The documents and the rejects of one file."""
    (file,) = list_files([path.name], base=path.parent)
    records = list(read_documents(name, file, options))
    return (
        [each for each in records if isinstance(each, Document)],
        [each for each in records if isinstance(each, Reject)],
    )


def read_bytes(
    folder: Path, data: bytes, name: str, **options: object
) -> tuple[list[Document], list[Reject]]:
    """The documents and the rejects of a file with these bytes."""
    path = folder / "data"
    path.write_bytes(data)
    return read(path, name, **options)


def reasons(rejects: list[Reject]) -> list[str]:
    """What statistics group the rejects by."""
    return [reject.error.split(":")[0] for reject in rejects]
