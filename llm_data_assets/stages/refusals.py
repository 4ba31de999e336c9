"""What is refused by name: URLs on the user's lists, licences that the catalog does not let in."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from llm_data_assets.config.catalog import Licenses
from llm_data_assets.config.pipeline import Rule
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import relation
from llm_data_assets.lake.schemas import FILTERED_CORPUS
from llm_data_assets.stages.checks import query
from llm_data_assets.stages.stage import Check, CheckResult, Context, recipe_sources
from llm_data_assets.text.licenses import NO_LICENSE, normalise, standing
from llm_data_assets.text.url_lists import UrlList, matching_entry, read_list


def refusals(workspace: Workspace) -> dict[str, Any]:
    """Settings of a stage that refuses: the policy, and each list with a digest of its files.

    Raises:
        ConfigError: a list cannot be read; the message names the pipeline's line.
    """
    lists = []
    for name, each in workspace.pipeline.model.url_lists.items():
        path = workspace.pipeline.path.parent / each.uri
        try:
            digest = _digest(path)
            _lists(name, each.kind, str(path), each.keep, each.at_least, digest)
        except (OSError, ValueError) as error:
            raise workspace.pipeline.error(
                ("url_lists", name, "uri"),
                f"{path} cannot be read as {each.kind}: {error}",
                "a file with an entry a line, or for ut1 a folder of categories",
            ) from error
        lists.append((name, each.kind, str(path), each.keep, each.at_least, digest))
    return {"licenses": workspace.catalog.model.licenses.model_dump(), "url_lists": lists}


def refuses(settings: dict[str, Any]) -> bool:
    """Whether there is any list, or a policy other than to let everything in."""
    return bool(settings["url_lists"]) or settings["licenses"] != Licenses().model_dump()


def named_refusals(documents: pa.Table, settings: dict[str, Any]) -> tuple[pa.Table, list[Rule]]:
    """The documents with normalised licences and `url_list`, and the rules that refuse by them.

    Args:
        documents: with the column license, and url where there are lists.
    """
    licenses = pc.unique(documents["license"])
    policy = settings["licenses"]
    spelled = pa.array([normalise(each) for each in licenses.to_pylist()], pa.string())
    column = spelled.take(pc.index_in(documents["license"], licenses).combine_chunks())
    place = documents.column_names.index("license")
    documents = documents.set_column(place, "license", column)
    rules = _license_rules(sorted(set(spelled.to_pylist())), policy)
    lists = [each for arguments in settings["url_lists"] for each in _lists(*arguments)]
    matches = [_named(url, lists) for url in documents["url"].to_pylist()] if lists else []
    blocked = sorted({each for each in matches if each})
    entries = pa.array(matches or [None] * documents.num_rows, pa.string())
    if blocked:
        rules.append(Rule(name="url_blocked", signal="url_list", none_of=blocked))
    return documents.append_column("url_list", entries), rules


def license_refused(expression: str, policy: dict[str, Any]) -> bool:
    """Whether the catalog's policy keeps a normalised licence out."""
    found = standing(expression, policy["allow"], policy["deny"])
    return found == "denied" or (found == "unknown" and policy["unknown"] == "drop")


def _license_rules(expressions: Sequence[str], policy: dict[str, Any]) -> list[Rule]:
    refused = [each for each in expressions if license_refused(each, policy)]
    if not refused:
        return []
    return [Rule(name="license_refused", signal="license", none_of=refused)]


def _named(url: str | None, lists: Sequence[UrlList]) -> str | None:
    found = matching_entry(url, lists)
    return f"{found[0]}: {found[1]}" if found else None


@lru_cache(maxsize=64)
def _lists(
    name: str, kind: Any, path: str, keep: bool, at_least: int, digest: str
) -> tuple[UrlList, ...]:
    """A list as its files stood when they had this digest."""
    return tuple(read_list(name, kind, Path(path), keep, at_least))


def _digest(path: Path) -> str:
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    content = xxhash.xxh3_128()
    for file in files:
        content.update(str(file.relative_to(path)).encode() + b"\0" + file.read_bytes())
    return content.hexdigest()


def _licenses_allowed(context: Context) -> CheckResult:
    policy = context.workspace.catalog.model.licenses.model_dump()
    sources = recipe_sources(context.workspace, context.recipe)
    rows = query(
        f"""SELECT source, coalesce(license, '{NO_LICENSE}') AS license, count(*) AS documents
        FROM {relation(context.lake, FILTERED_CORPUS)} GROUP BY ALL ORDER BY ALL"""
    )
    wrong = [
        row
        for row in rows
        if row["source"] in sources and license_refused(normalise(row["license"]), policy)
    ]
    return CheckResult(
        not wrong,
        sum(row["documents"] for row in wrong),
        "0 documents under a licence that the catalog refuses",
        wrong[:5],
    )


LICENSES_ALLOWED = Check(
    "licenses_allowed",
    "Every document of the recipe's sources is under a licence that the catalog lets in.",
    _licenses_allowed,
    True,
)
