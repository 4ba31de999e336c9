"""Which columns of its inputs each column of a SQL model is made from, read from its SELECT."""

from collections.abc import Mapping

import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope


def column_lineage(
    select: str, columns: Mapping[str, str], inputs: Mapping[str, Mapping[str, str]]
) -> dict[str, list[tuple[str, str]]]:
    """Column -> the (table, column) pairs it is computed from, sorted.

    `inputs` gives the columns and types of every table that the SELECT reads. A column made from
    none (a constant, `count(*)`) has an empty list. A SELECT with PIVOT or UNPIVOT has no entry:
    there names of columns become values, and sqlglot 30 does not follow them.
    """
    tree = sqlglot.parse_one(select, dialect="duckdb")
    if tree.find(exp.Pivot):
        return {}
    schema: dict[str, object] = {table: dict(types) for table, types in inputs.items()}
    # Once for all columns, as `lineage` would do for each: most of the work lies here.
    whole = qualify(
        tree, dialect="duckdb", schema=schema, validate_qualify_columns=False, identify=False
    )
    scope = build_scope(whole)
    found = {}
    for column in columns:
        root = lineage(column, whole, schema=schema, dialect="duckdb", scope=scope, copy=False)
        found[column] = sorted(
            {
                (node.expression.name, node.name.split(".")[-1].strip('"'))
                for node in root.walk()
                if isinstance(node.expression, exp.Table) and node.expression.name in inputs
            }
        )
    return found
