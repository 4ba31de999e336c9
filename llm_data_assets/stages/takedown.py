"""Taking documents down: what would change, the record of it, and no trace if that is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import duckdb

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.takedowns import Kind, Takedown, append_takedown
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import connect, rows
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.instruction_tables import RAW_INSTRUCTIONS
from llm_data_assets.lake.media_tables import RAW_PAIRS
from llm_data_assets.lake.schemas import RAW_CORPUS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.edit_rows import text_hash
from llm_data_assets.stages.materialise import ALL_TABLES, lake_of


@dataclass
class Effect:
    """What a takedown of some documents would change, for a person to agree to."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    promoted: list[dict[str, Any]] = field(default_factory=list)
    shards: list[dict[str, Any]] = field(default_factory=list)
    positions: list[dict[str, Any]] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)

    @property
    def met(self) -> list[tuple[str, str, str]]:
        return [(row["source"], row["file"], row["doc_id"]) for row in self.documents]


_RAW = (RAW_CORPUS, RAW_INSTRUCTIONS, RAW_PAIRS)
# What may go: documents, and the dialogues and pairs of the branches beside them.
_ROWS = """(
    SELECT source, doc_id, url, origin.file AS file FROM raw_corpus
    UNION ALL SELECT source, doc_id, NULL, origin.file FROM raw_instructions
    UNION ALL SELECT source, doc_id, url, origin.file FROM raw_pairs
)"""
_REPEATS = """(
    SELECT doc_id, kept_doc_id, similarity, method FROM duplicates
    UNION ALL SELECT doc_id, kept_doc_id, similarity, method FROM instruction_duplicates
    UNION ALL SELECT doc_id, kept_doc_id, similarity, method FROM pair_duplicates
)"""


def effect_of(
    workspace: Workspace, kind: Kind, values: Sequence[str], *, with_duplicates: bool = False
) -> Effect:
    """Which documents go, which come in for them, and which shards, runs and files held them.

    Args:
        kind: what `values` are: ids, addresses, or XXH3-128 of a document's text (hex).
        with_duplicates: also the documents that repeat them, or that they repeat.

    Raises:
        ConfigError: a value meets no document.
    """
    everything = chain.from_iterable(workspace.restricted.values())
    connection = connect(workspace.home, everything)
    effect = Effect(_documents(connection, kind, values))
    if with_duplicates:
        effect.documents = _and_duplicates(connection, effect.documents)
    going = [row["doc_id"] for row in effect.documents]
    effect.promoted = rows(
        connection,
        f"SELECT doc_id, kept_doc_id AS repeats, similarity, method FROM {_REPEATS} "
        "WHERE kept_doc_id IN (SELECT unnest(?)) AND doc_id NOT IN (SELECT unnest(?)) "
        "ORDER BY doc_id",
        [going, going],
    )
    coming = [row["doc_id"] for row in effect.promoted]
    effect.shards = _shards(connection, lake_of(workspace), going, coming)
    effect.positions = rows(
        connection,
        "SELECT recipe, source, count(DISTINCT position) AS positions "
        "FROM sequences JOIN mixed_corpus USING (recipe, source, sequence) "
        "WHERE doc_id IN (SELECT unnest(?)) GROUP BY ALL ORDER BY ALL",
        [going],
    )
    recipes = sorted({row["recipe"] for row in effect.positions})
    effect.exports = [
        row["file"]
        for row in rows(
            connection,
            "SELECT file FROM training_export WHERE recipe IN (SELECT unnest(?)) UNION ALL "
            "SELECT file FROM instruction_files WHERE split IN (SELECT split FROM instruction_mix "
            "WHERE doc_id IN (SELECT unnest(?))) ORDER BY file",
            [recipes, going],
        )
    ]
    return effect


def effect_lines(effect: Effect) -> Iterator[str]:
    """The effect as lines to read."""
    for row in effect.documents:
        yield f"goes         {row['doc_id']} ({row['file']})"
    for row in effect.promoted:
        yield (
            f"comes in     {row['doc_id']}, until now a {row['method']} duplicate of "
            f"{row['repeats']} (similarity {row['similarity']:.3f}); --with-duplicates takes it too"
        )
    for row in effect.shards:
        yield (
            f"tokens       shard {row['shard']} of {row['source']} is made again: "
            f"{row['going']} go, {row['coming']} may come in"
        )
    for row in effect.positions:
        yield (
            f"run          {row['recipe']}: {row['positions']:,} positions from {row['source']} "
            "hold a part of it; the run is mixed again"
        )
    for file in effect.exports:
        yield f"export       {file}"


def record(
    workspace: Workspace, kind: Kind, values: Sequence[str], reason: str, effect: Effect
) -> Takedown:
    """Sign the takedown into the audit log; the next run leaves the documents out.

    Documents that go for being duplicates are named by id, whatever was asked by.
    """
    return append_takedown(workspace.audit, kind, values, reason, effect.met)


def purge(workspace: Workspace) -> int:
    """Remove every file that no current version names; older versions cannot be read any more.

    Returns how many files went.
    """
    lake = lake_of(workspace)
    return sum(lake.purge(table) for table in ALL_TABLES)


def _documents(
    connection: duckdb.DuckDBPyConnection, kind: Kind, values: Sequence[str]
) -> list[dict[str, Any]]:
    if kind == "hash":
        found = []
        cursor = connection.execute(
            "SELECT source, doc_id, url, origin.file, text FROM raw_corpus ORDER BY doc_id"
        )
        while some := cursor.fetchmany(1_000):
            for source, doc_id, url, file, text in some:
                if (digest := text_hash(text)) in values:
                    found.append({"source": source, "doc_id": doc_id, "url": url, "file": file,
                                  "hash": digest})  # fmt: skip
    else:
        found = rows(
            connection,
            f"SELECT * FROM {_ROWS} WHERE {kind} IN (SELECT unnest(?)) ORDER BY doc_id",
            [list(values)],
        )
    for value in values:
        if value not in {row[kind] for row in found}:
            raise ConfigError(
                "takedown", value, f"is the {kind} of no document",
                '`llm-data query "SELECT doc_id, url FROM raw_corpus"` lists them',
            )  # fmt: skip
    return found


def _shards(
    connection: duckdb.DuckDBPyConnection, lake: Lake, going: list[str], coming: list[str]
) -> list[dict[str, Any]]:
    """The shards that hold some documents: a shard has one name in every table of its source."""
    found = rows(
        connection,
        """
        SELECT source, parse_filename(filename) AS file,
            count(*) FILTER (doc_id IN (SELECT unnest($1))) AS going,
            count(*) FILTER (doc_id IN (SELECT unnest($2))) AS coming
        FROM read_parquet($3, filename = true, hive_partitioning = true, union_by_name = true)
        WHERE doc_id IN (SELECT unnest(list_concat($1, $2))) GROUP BY ALL ORDER BY ALL
        """,
        [going, coming, [str(path) for table in _RAW for path in lake.files(table)]],
    )
    return [row | {"shard": ShardFile.parse(row["file"]).shard} for row in found]


def _and_duplicates(
    connection: duckdb.DuckDBPyConnection, documents: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The documents and all that share a kept document with one of them."""
    names = [row["doc_id"] for row in documents]
    return rows(
        connection,
        f"""
        WITH asked AS (SELECT unnest(?) AS doc_id),
        kept AS (SELECT doc_id FROM asked UNION
                 SELECT kept_doc_id FROM {_REPEATS} SEMI JOIN asked USING (doc_id)),
        going AS (SELECT doc_id FROM kept UNION
                  SELECT doc_id FROM {_REPEATS} WHERE kept_doc_id IN (SELECT doc_id FROM kept))
        FROM {_ROWS} SEMI JOIN going USING (doc_id) ORDER BY doc_id
        """,
        [names],
    )
