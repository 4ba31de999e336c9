"""Public Git Archive's index: CSV with a row a repository. Offset: byte of the row's first line.

A manifest, to choose siva archives by and to plan with, rather than text to train on: the text of
a document says in three lines which repository it is, its languages and its licences.
"""

from collections.abc import Iterator

from llm_data_assets.sources.delimited import Dialect, rows
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.licenses import one_license
from llm_data_assets.sources.options import NoOptions as Options

_DIALECT = Dialect(delimiter=",", quote='"', columns=None, encoding="utf-8")
_LISTS = ("SIVA_FILENAMES", "LANGS")
_COUNTS_BY_LANGUAGE = (
    "LANGS_BYTE_COUNT", "LANGS_LINES_COUNT", "LANGS_FILES_COUNT", "EMPTY_LINES_COUNT",
    "CODE_LINES_COUNT", "COMMENT_LINES_COUNT",
)  # fmt: skip
_COUNTS = ("FILE_COUNT", "COMMITS_COUNT", "BRANCHES_COUNT", "FORK_COUNT", "STARS", "SIZE")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every repository.

    Raises:
        UnreadableFileError: the file has no column `URL`.
    """
    for offset, row in rows(file, _DIALECT, ["URL"]):
        if isinstance(row, Reject):
            yield row
            continue
        first = ",".join(row.values())[:80].encode()
        try:
            yield _document(row, offset)
        except ValueError as error:
            yield Reject(offset, f"broken row: {error}", first)


def _document(row: dict[str, str], offset: int) -> Document | Reject:
    url = row.pop("URL")
    if not url:
        return Reject(offset, "no address: `URL` is empty")
    licenses = _licenses(row.pop("LICENSE", ""))
    known = {*_LISTS, *_COUNTS, *_COUNTS_BY_LANGUAGE}
    meta: dict[str, object] = {name: value for name, value in row.items() if name not in known}
    meta |= {name: _cells(row[name]) for name in _LISTS if name in row}
    meta |= {
        name: [int(each) for each in _cells(row[name])]
        for name in _COUNTS_BY_LANGUAGE
        if name in row
    }
    meta |= {name: int(row[name]) for name in _COUNTS if row.get(name)}
    languages = ", ".join(_cells(row.get("LANGS", "")))
    named = ", ".join(f"{name} {confidence:g}" for name, confidence in licenses)
    best = [name for name, confidence in licenses if confidence == licenses[0][1]]
    place = url.partition("://")[2].removesuffix(".git") or url
    return Document(
        "\n".join(line for line in (url, languages, named) if line),
        offset,
        native_id=place,
        url=url,
        title=place.partition("/")[2],
        license=one_license(best),
        meta={**meta, "licenses": dict(licenses)},
    )


def _cells(joined: str) -> list[str]:
    return joined.split(",") if joined else []


def _licenses(cell: str) -> list[tuple[str, float]]:
    """(name, confidence), the likeliest first, of `name:0.987,name2:0.9`."""
    found = [each.rpartition(":") for each in _cells(cell)]
    return sorted(
        ((name, float(confidence)) for name, _, confidence in found),
        key=lambda each: (-each[1], each[0]),
    )
