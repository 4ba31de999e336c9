"""A source added to a catalog file, which keeps its comments and its layout."""

from pathlib import Path
from typing import Any

import yaml

from llm_data_assets.config.catalog import Catalog
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.loading import Loaded, load


def add_source(catalog: Path, name: str, source: dict[str, Any]) -> Loaded[Catalog]:
    """Write `source` at the end of the catalog's `sources`; a missing file is begun.

    Raises:
        ConfigError: the name is taken, the source does not fit, or `sources` is written in
            braces; the file is as it was.
    """
    text = catalog.read_text(encoding="utf-8") if catalog.is_file() else "sources:\n"
    taken = load(catalog, Catalog).model.sources if catalog.is_file() else {}
    if name in taken:
        raise ConfigError(str(catalog), f"sources.{name}", "is there already", "another name")
    lines = text.splitlines()
    end, indent = _end_of_sources(catalog, text)
    block = yaml.safe_dump({name: source}, sort_keys=False, allow_unicode=True).splitlines()
    lines[end:end] = [" " * indent + line for line in block]
    beside = catalog.with_name(f".{catalog.name}.tmp")
    try:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
        load(beside, Catalog)
        beside.replace(catalog)
    except ConfigError as error:
        raise ConfigError(str(catalog), error.field, error.problem, error.way_out) from None
    finally:
        beside.unlink(missing_ok=True)
    return load(catalog, Catalog)


def _end_of_sources(catalog: Path, text: str) -> tuple[int, int]:
    """The line after the last source (0-based), and how far the names are indented."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    sources = next((value for key, value in pairs if key.value == "sources"), None)
    if not isinstance(sources, yaml.MappingNode):
        return len(text.splitlines()), 2
    if sources.flow_style:
        raise ConfigError(
            str(catalog), "sources", "is written in braces, and nothing can be added to it",
            "one line a source, `name:` and its fields below it",
        )  # fmt: skip
    last = sources.value[-1][1].end_mark
    lines = text.splitlines()
    # A block ends where the next begins: what stands between, blanks and comments, is the next's.
    end = last.line + (1 if last.column else 0)
    while end and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end, sources.value[0][0].start_mark.column
