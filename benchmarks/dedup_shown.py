"""Who is removed for whom: editions of novels, Common Crawl and Wikipedia as one catalog.

    python benchmarks/dedup_shown.py FOLDER

FOLDER holds `books/pg*/*.txt` (Project Gutenberg), `books/se_*/src` (Standard Ebooks' source
trees, zipped here to EPUB), `wikipedia/*.bz2` and `commoncrawl/*.warc*`, `*.wet*`.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

import duckdb

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise

SOURCES = {
    "gutenberg": ("gutenberg", ["books/pg*/*.txt"], "book"),
    "standard_ebooks": ("epub", ["*.epub"], "book"),
    "wikipedia": ("wikipedia", ["wikipedia/*.bz2"], "encyclopedia"),
    "commoncrawl": ("warc", ["commoncrawl/*.warc", "commoncrawl/*.warc.gz"], "web"),
    "commoncrawl_wet": ("wet", ["commoncrawl/*.wet", "commoncrawl/*.wet.gz"], "web"),
}
STAGES_RUN = ("raw_corpus", "document_signatures", "duplicates", "deduped_corpus")


def main() -> None:
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "books").is_dir():
        sys.exit("Try: python benchmarks/dedup_shown.py FOLDER, with books/ in it")
    with tempfile.TemporaryDirectory() as name:
        workspace = _workspace(Path(name), Path(sys.argv[1]).absolute())
        for stage in STAGES_RUN:
            for partition in STAGES[stage].partitions(workspace):
                materialise(STAGES[stage], partition, workspace)
        connection = connect(workspace.home)
        for sql in (_COUNTS, _PAIRS, _CHECKS):
            _print(connection, sql)


_COUNTS = """
    SELECT source, count(*) AS documents,
           count(*) FILTER (doc_id IN (SELECT doc_id FROM duplicates)) AS removed
    FROM raw_corpus GROUP BY source ORDER BY source"""
_PAIRS = """
    SELECT gone.source, coalesce(gone.url, gone.title, '') AS removed,
           parse_filename(gone.origin.file) AS "of",
           coalesce(kept.url, kept.title, '') AS "for",
           parse_filename(kept.origin.file) AS "in",
           round(similarity, 3) AS similarity, method
    FROM duplicates JOIN raw_corpus AS gone USING (doc_id)
    JOIN raw_corpus AS kept ON kept.doc_id = kept_doc_id
    ORDER BY gone.source, gone.n_bytes DESC, gone.doc_id"""
_CHECKS = """
    SELECT "check", passed, expected FROM checks
    WHERE asset = 'duplicates' AND "check" IN ('removals_confirmed', 'pairs_missed')
    ORDER BY "check" """


def _workspace(folder: Path, shared: Path) -> Workspace:
    for tree in sorted((shared / "books").glob("se_*/src")):
        with zipfile.ZipFile(folder / f"{tree.parent.name}.epub", "w") as book:
            book.writestr("mimetype", "application/epub+zip")
            for path in sorted(tree.rglob("*")):
                book.write(path, path.relative_to(tree).as_posix())
    lines = ["sources:"]
    for priority, (name, (format_, uris, domain)) in enumerate(SOURCES.items(), start=1):
        placed = [uri if format_ == "epub" else f"{shared}/{uri}" for uri in uris]
        lines.append(
            f"  {name}: {{format: {format_}, uris: {placed}, domain: {domain}, "
            f"priority: {priority}}}"
        )
    (folder / "catalog.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "pipeline.yaml").write_text("checks: {max_reject_share: 1.0}\n", encoding="utf-8")
    return open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")


def _print(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    found = connection.execute(sql)
    names = [column[0] for column in found.description or []]
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in found.fetchall():
        print(f"| {' | '.join(str(value) for value in row)} |")
    print()


if __name__ == "__main__":
    main()
