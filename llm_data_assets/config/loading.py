"""Reading YAML into a pydantic model, with errors that name file, line, field and the way out."""

import difflib
import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from llm_data_assets.config.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)
FieldPath = tuple[str | int, ...]
_MOST_NODES = 1_000_000


@dataclass(frozen=True)
class Loaded(Generic[Model]):
    """A validated model and the line each of its fields stands on (1-based)."""

    model: Model
    path: Path
    lines: Mapping[FieldPath, int]

    def error(self, field: FieldPath, problem: str, way_out: str) -> ConfigError:
        """The error for a field that is well-formed and still cannot be used."""
        return ConfigError(_where(self.path, self.lines, field), _dotted(field), problem, way_out)


def load(path: Path, model: type[Model]) -> Loaded[Model]:
    """Read `path` as YAML and validate it as `model`.

    Only plain YAML is read: tags that construct Python objects are refused.

    Raises:
        ConfigError: the file is missing, is not YAML, or does not fit the model; the message
            names the file, the line, the field and the way out.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            str(path), "", "no such file", "`llm-data init DIR` writes one from a template"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            str(path), "", f"cannot be read ({error})", "save it as UTF-8 text"
        ) from None
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is not None and _weight(node, {}) > _MOST_NODES:
            raise ConfigError(
                str(path), "", "its aliases multiply without end", "write out what is meant"
            )
        data = yaml.load(text, Loader=_Loader)  # a SafeLoader: no tag constructs an object
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(
            f"{path}{line}", "", f"not valid YAML: {error.problem}", "check indentation and colons"
        ) from None
    except RecursionError:
        raise ConfigError(str(path), "", "is nested without end", "close the brackets") from None
    lines: dict[FieldPath, int] = {(): 1}
    if node is not None:
        _collect_lines(node, (), lines)
    try:
        return Loaded(model.model_validate(data or {}), path, lines)
    except ValidationError as invalid:
        raise _first_error(invalid, path, lines, model) from None


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice instead of keeping the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key: Any = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key is no name", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def _weight(node: yaml.Node, known: dict[int, float]) -> float:
    """Nodes that there are once every alias is followed; infinite where one leads to itself."""
    if id(node) not in known:
        known[id(node)] = math.inf  # until all below it is counted
        below: list[Any] = []
        if isinstance(node, yaml.MappingNode):
            below = [each for pair in node.value for each in pair]
        elif isinstance(node, yaml.SequenceNode):
            below = node.value
        known[id(node)] = 1 + sum(_weight(each, known) for each in below)
    return known[id(node)]


def _collect_lines(node: yaml.Node, path: FieldPath, lines: dict[FieldPath, int]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            child = (*path, key.value)
            lines[child] = key.start_mark.line + 1
            _collect_lines(value, child, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _collect_lines(value, (*path, index), lines)


def _first_error(
    invalid: ValidationError, path: Path, lines: Mapping[FieldPath, int], model: type[BaseModel]
) -> ConfigError:
    # A misspelt field is both unknown and missing: the misspelling explains more.
    details = invalid.errors(include_url=False)
    error = min(
        details,
        key=lambda each: (each["type"] != "extra_forbidden", _line(lines, each["loc"])),
    )
    known = _known_part(lines, error["loc"])
    unknown_key = error["type"] == "extra_forbidden"
    field = _dotted(error["loc"] if unknown_key or error["type"] == "missing" else known)
    problem, way_out = _explain(error, model)
    more = "" if len(details) == 1 else f" ({len(details) - 1} more after this one)"
    return ConfigError(_where(path, lines, error["loc"]), field, problem + more, way_out)


def _explain(error: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    name = str(error["loc"][-1]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        options = sorted(_all_field_names(model))
        close = difflib.get_close_matches(name, options, n=1)
        return f"unknown field {name!r}", (
            f"did you mean {close[0]!r}?" if close else "remove it, or see docs/configuration.md"
        )
    if error["type"] == "missing":
        return "is required", f"add `{name}:`"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if error["type"] == "value_error":
        problem, _, way_out = message.partition(" Try: ")
        return problem.rstrip("."), way_out or "see docs/configuration.md"
    given = error.get("input")
    shown = repr(given) if isinstance(given, str | int | float | bool | None) else "this value"
    return f"{shown} does not fit", f"give {message[0].lower()}{message[1:]}"


def _all_field_names(model: type[BaseModel]) -> set[str]:
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {name for part in parts for name in part.get("properties", {})}


def _known_part(lines: Mapping[FieldPath, int], field: FieldPath) -> FieldPath:
    """The longest prefix of a pydantic location that stands in the file (unions add parts)."""
    parts: FieldPath = ()
    for part in field:
        if (*parts, part) in lines:
            parts = (*parts, part)
    return parts


def _line(lines: Mapping[FieldPath, int], field: FieldPath) -> int:
    return lines.get(_known_part(lines, field), 1)


def _where(path: Path, lines: Mapping[FieldPath, int], field: FieldPath) -> str:
    return f"{path}:{_line(lines, field)}"


def _dotted(field: FieldPath) -> str:
    text = ""
    for part in field:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
