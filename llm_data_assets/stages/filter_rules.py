"""The rules that decide, in order: from the pipeline's entries to one list of predicates."""

import math
from collections.abc import Mapping, Sequence

from llm_data_assets.config.catalog import CODE_DOMAIN
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.rule import Rule, RuleEntry, RuleSetUse
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.text.cuts import CUTTING, KIND
from llm_data_assets.text.rules import load_ruleset

# Language is detected on prose; a programming language is not one of them.
_NOT_PROSE = {"domain": [CODE_DOMAIN]}


def rules_of(workspace: Workspace) -> list[Rule]:
    """The rules of the pipeline in order, rule sets opened, the languages asked for first.

    Raises:
        ConfigError: a rule set that is neither the pipeline's nor shipped, or a name used twice.
    """
    pipeline = workspace.pipeline
    rules: list[Rule] = []
    if pipeline.model.languages:
        rules.append(
            Rule(
                name="language_not_asked_for",
                signal="language",
                one_of=list(pipeline.model.languages),
                unless=_NOT_PROSE,
            )
        )
    rules += opened(workspace, ("rules",), pipeline.model.rules)
    _names_are_unique(workspace, rules)
    return rules


def opened(
    workspace: Workspace, field: tuple[str, ...], entries: Sequence[RuleEntry]
) -> list[Rule]:
    """The rules of a list of the pipeline, rule sets opened.

    Raises:
        ConfigError: a rule set that is neither the pipeline's nor shipped.
    """
    pipeline = workspace.pipeline
    rules: list[Rule] = []
    for index, entry in enumerate(entries):
        try:
            rules += _opened(entry, pipeline.model.rule_sets)
        except FileNotFoundError as error:
            problem, _, way_out = str(error).partition(" Try: ")
            raise pipeline.error((*field, index), problem, way_out) from None
    return rules


def decontamination_rules(workspace: Workspace) -> list[Rule]:
    """The rule that removes a document for a benchmark question it holds, if removing is asked.

    It stands whether or not there are evaluation sets: a first one makes nothing else stale.
    """
    settings = workspace.pipeline.model.decontamination
    if settings.rule in CUTTING:
        return []
    # A rule's bound still stays; this share already goes.
    bound = math.nextafter(settings.share, 0)
    return [Rule(name=KIND, signal="evaluation_overlap", max=bound)]


def _opened(entry: str | RuleSetUse | Rule, own: Mapping[str, list[Rule]]) -> list[Rule]:
    if isinstance(entry, Rule):
        return [entry]
    use = RuleSetUse(use=entry) if isinstance(entry, str) else entry
    rules = own.get(use.use) or [Rule.model_validate(each) for each in load_ruleset(use.use)]
    return [
        rule.model_copy(
            update={"when": {**rule.when, **use.when}, "unless": {**rule.unless, **use.unless}}
        )
        for rule in rules
    ]


def _names_are_unique(workspace: Workspace, rules: list[Rule]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise ConfigError(
                str(workspace.pipeline.path),
                "rules",
                f"two rules are named {rule.name!r}, and a verdict could mean either",
                "rename one, or use a rule set once with wider `when`",
            )
        seen.add(rule.name)
