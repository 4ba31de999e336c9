"""What another threshold would keep, read from the signals alone: nothing is written.

Refusals by URL and licence and benchmark questions count as in a run. Only what the edits leave
empty is not foreseen: that takes the text.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.pipeline import Rule
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import literal, quote, rows
from llm_data_assets.lake.catalog import relation as relation_of
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import CONTAMINATION, RAW_CORPUS
from llm_data_assets.stages.filter_rules import decontamination_rules, rules_of
from llm_data_assets.stages.judging import rule_columns
from llm_data_assets.stages.quality_signals import QUALITY_SIGNALS
from llm_data_assets.stages.refusals import named_refusals, refusals, refuses
from llm_data_assets.text.licenses import NO_LICENSE
from llm_data_assets.text.rules import compile_reasons, load_ruleset

_OF_THE_DOCUMENT = ("license", "url", "title")
_SHOWN = 10
_NO_REFUSALS = pa.schema(
    [(name, pa.string()) for name in ("doc_id", "refused_by", "url_list")]
).empty_table()


@dataclass(frozen=True)
class WhatIf:
    """Survivors now and then, by source and language; documents nearest to a changed threshold."""

    survivors: list[dict[str, Any]]
    boundary: list[dict[str, Any]]


def what_if(workspace: Workspace, changes: Sequence[str]) -> WhatIf:
    """Decide about every measured document under the pipeline's rules and under changed ones.

    Args:
        changes: "rule.bound=value", where the bound is `min` or `max`, or `threshold` for a rule
            that has only one of them.

    Raises:
        ConfigError: a change that names no rule or bound, or a rule that cannot be.
        FileNotFoundError: no document has been measured yet.
    """
    contaminated = decontamination_rules(workspace)
    before = [*rules_of(workspace), *contaminated]
    after = list(before)
    for change in changes:
        after = _changed(workspace, after, change)
    changed = [rule for rule, old in zip(after, before, strict=True) if rule != old]
    connection = duckdb.connect(config={"preserve_insertion_order": False})
    relation = _documents(connection, workspace, after)
    then = compile_reasons(after, rule_columns(), relation=f"({relation})", name="reason_then")
    both = compile_reasons(before, rule_columns(), relation=f"({then})", name="reason_now")
    shown = ", ".join(["doc_id", "source", "language", *_distances(changed)])
    connection.execute(
        f"""CREATE TEMP TABLE judged AS
        SELECT {shown}, coalesce(refused_by, reason_now) AS reason_now,
               coalesce(refused_by, reason_then) AS reason_then FROM ({both})"""
    )
    survivors = rows(
        connection,
        """
        SELECT source, language, count(*) AS documents,
               count(*) FILTER (reason_now IS NULL) AS kept_now,
               count(*) FILTER (reason_then IS NULL) AS kept_then
        FROM judged GROUP BY ALL ORDER BY source, documents DESC, language
        """,
    )
    boundary: list[dict[str, Any]] = []
    for index, rule in enumerate(changed):
        boundary += rows(
            connection,
            f"""
            SELECT {literal(rule.name)} AS rule, doc_id, value_{index} AS value,
                   coalesce(reason_now, 'kept') AS reason_now,
                   coalesce(reason_then, 'kept') AS reason_then
            FROM judged WHERE distance_{index} IS NOT NULL
            ORDER BY distance_{index}, doc_id LIMIT {_SHOWN}
            """,
        )
    return WhatIf(survivors, boundary)


def compare_rule_sets(workspace: Workspace, one: str, other: str) -> WhatIf:
    """Where two shipped rule sets disagree about the measured documents.

    `survivors` counts by source what each keeps and what one keeps alone; `boundary` has samples
    with the rule that drops each.

    Raises:
        FileNotFoundError: a rule set that is not shipped, or no document measured yet.
    """
    sets = [[Rule.model_validate(each) for each in load_ruleset(name)] for name in (one, other)]
    connection = duckdb.connect(config={"preserve_insertion_order": False})
    relation = f"({_documents(connection, workspace, sets[0] + sets[1])})"
    for name, rules in zip(("one", "other"), sets, strict=True):
        judged = compile_reasons(rules, rule_columns(), relation=relation, name=name)
        relation = f"({judged})"
    connection.execute(
        f"CREATE TEMP TABLE judged AS SELECT doc_id, source, one, other FROM {relation}"
    )
    counts = rows(
        connection,
        f"""
        SELECT source, count(*) AS documents,
               count(*) FILTER (one IS NULL AND other IS NULL) AS both_keep,
               count(*) FILTER (one IS NULL AND other IS NOT NULL) AS {quote(f"only {one} keeps")},
               count(*) FILTER (one IS NOT NULL AND other IS NULL) AS {quote(f"only {other} keeps")}
        FROM judged GROUP BY source ORDER BY source
        """,
    )
    samples = rows(
        connection,
        f"""
        SELECT doc_id, coalesce(one, 'kept') AS {quote(one)}, coalesce(other, 'kept')
               AS {quote(other)}
        FROM judged WHERE (one IS NULL) <> (other IS NULL)
        QUALIFY row_number() OVER (PARTITION BY one, other ORDER BY doc_id) <= 3
        ORDER BY one, other, doc_id
        """,
    )
    return WhatIf(counts, samples)


def _changed(workspace: Workspace, rules: list[Rule], change: str) -> list[Rule]:
    place, _, value = change.partition("=")
    name, _, bound = place.rpartition(".")
    names = {rule.name: index for index, rule in enumerate(rules)}
    if name not in names:
        close = difflib.get_close_matches(name, names, n=3) or sorted(names)[:5]
        raise _error(
            workspace, f"there is no rule {name!r} to change", f"one of {', '.join(close)}"
        )
    rule = rules[names[name]]
    if bound == "threshold":
        given = [each for each in ("min", "max") if getattr(rule, each) is not None]
        bound = given[0] if len(given) == 1 else bound
    if bound not in ("min", "max"):
        raise _error(workspace, f"{change!r} names no bound", f"{name}.min=... or {name}.max=...")
    try:
        new = Rule.model_validate({**rule.model_dump(), bound: float(value)})
    except ValueError as error:
        raise _error(workspace, f"{change!r} cannot be: {error}", f"{name}.{bound}=0.5") from None
    return [new if each.name == name else each for each in rules]


def _error(workspace: Workspace, problem: str, way_out: str) -> ConfigError:
    return ConfigError(str(workspace.pipeline.path), "--set", problem, way_out)


def _documents(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, rules: Sequence[Rule]
) -> str:
    """A SELECT of all columns that the rules name, and `refused_by`, over the files of every
    source."""
    named = {name for rule in rules for name in (rule.signal, *rule.when, *rule.unless)}
    own = sorted(name for name in named & set(_OF_THE_DOCUMENT))
    signals = sorted(named.intersection(QUALITY_SIGNALS.schema.names) - {"language", "doc_id"})
    lake = Lake(workspace.home / "lake")
    selects = []
    for source in workspace.sources:
        files = lake.files(QUALITY_SIGNALS, {"source": source})
        if not files:
            continue
        _are_measured(workspace, files, signals)
        domain = workspace.catalog.model.sources[source].domain
        named_here = f"named in {source}"
        connection.register(named_here, _named(workspace, lake, source))
        columns = ["doc_id", "language", *signals, *own]
        shown = ", ".join(
            f"coalesce(license, {literal(NO_LICENSE)}) AS license"
            if name == "license"
            else quote(name)
            for name in columns
        )
        relation = f"read_parquet({_listed(files)})"
        if own:
            raw = ", ".join(["doc_id", *map(quote, own)])
            texts = f"read_parquet({_listed(lake.files(RAW_CORPUS, {'source': source}))})"
            relation += f" JOIN (SELECT {raw} FROM {texts}) USING (doc_id)"
        selects.append(
            f"""SELECT {shown}, refused_by, url_list,
                coalesce(evaluation_overlap, 0) AS evaluation_overlap,
                coalesce(evaluation_question, '') AS evaluation_question,
                {literal(source)} AS source, {literal(domain)} AS domain
            FROM {relation} LEFT JOIN {quote(named_here)} USING (doc_id)"""
        )
    if not selects:
        raise FileNotFoundError(
            "no document has been measured yet. Try: llm-data run --to quality_signals"
        )
    return " UNION ALL ".join(selects)


def _named(workspace: Workspace, lake: Lake, source: str) -> pa.Table:
    """Documents of a source that a list, a licence or a benchmark question names, and by which
    refusal they go before any rule is asked."""
    settings, partition = refusals(workspace), {"source": source}
    connection = duckdb.connect()
    connection.register("refused", _NO_REFUSALS)
    if refuses(settings):
        rows = lake.read(RAW_CORPUS, partition, ["doc_id", "license", "url"])
        documents, rules = named_refusals(rows, settings)
        connection.register("documents", documents)
        columns = {"license": "string", "url_list": "string"}
        reasons = compile_reasons(rules, columns, relation="documents", name="refused_by")
        found = connection.sql(
            f"""SELECT doc_id, refused_by, url_list FROM ({reasons})
            WHERE refused_by IS NOT NULL OR url_list IS NOT NULL"""
        ).to_arrow_table()
        connection.register("refused", found)
    return connection.sql(
        f"""SELECT * FROM refused FULL JOIN (
            SELECT doc_id, max(question_share) AS evaluation_overlap,
                   max_by(question_id, (question_share, question_id)) AS evaluation_question
            FROM {relation_of(lake, CONTAMINATION, partition)} GROUP BY doc_id) USING (doc_id)"""
    ).to_arrow_table()


def _are_measured(workspace: Workspace, files: Sequence[Path], signals: Sequence[str]) -> None:
    """Raise ConfigError if a signal is null throughout a file: nothing had asked for it."""
    for file in files:
        metadata = pq.read_metadata(file)
        for column in range(metadata.num_columns if metadata.num_rows else 0):
            chunks = [metadata.row_group(g).column(column) for g in range(metadata.num_row_groups)]
            name = chunks[0].path_in_schema
            if name in signals and all(
                chunk.statistics.null_count == chunk.num_values for chunk in chunks
            ):
                raise ConfigError(
                    str(workspace.pipeline.path),
                    "signals.also",
                    f"{name!r} has not been measured: no rule names it",
                    f"signals: {{also: [{name}]}} (or the name of the rule set), then "
                    "`llm-data run --to quality_signals`",
                )


def _listed(files: Sequence[Any]) -> str:
    return f"[{', '.join(literal(str(file)) for file in files)}]"


def _distances(changed: Sequence[Rule]) -> list[str]:
    """For each changed rule: the value, and how far it is from the nearest new bound."""
    columns = []
    for index, rule in enumerate(changed):
        bounds = [bound for bound in (rule.min, rule.max) if bound is not None]
        far = ", ".join(f"abs({quote(rule.signal)} - {bound!r})" for bound in bounds)
        columns += [f"{quote(rule.signal)} AS value_{index}", f"least({far}) AS distance_{index}"]
    return columns
