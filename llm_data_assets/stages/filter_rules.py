"""The rules that decide, in order: from the pipeline's entries to one list of predicates."""

import difflib
import math
from collections.abc import Mapping, Sequence

from llm_data_assets.config.catalog import CODE_DOMAIN
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.pipeline import Signals
from llm_data_assets.config.rule import Rule, RuleEntry, RuleSetUse
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.text.cuts import CUTTING, KIND
from llm_data_assets.text.rules import load_ruleset

# Language is detected on prose; a programming language is not one of them.
_NOT_PROSE = {"domain": [CODE_DOMAIN]}
# A rule may name these beside the signals. A document without a licence is SPDX's NOASSERTION.
DOCUMENT_COLUMNS = (
    "source",
    "domain",
    "license",
    "url",
    "url_list",
    "title",
    "evaluation_question",
)
OVERLAP = "evaluation_overlap"


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
    names_are_unique(workspace, rules)
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


def signals_asked_for(workspace: Workspace) -> set[str]:
    """Signals that the rules name, and those of `signals.also`.

    Raises:
        ConfigError: see `rules_of`; an entry of `signals.also` is neither a signal nor a rule set;
            a rule names what is neither a signal nor a column of the document.
    """
    # They bring every kernel along, which who only reads rules does without.
    from llm_data_assets.text.optional_signals import OF_MODELS, OPTIONAL
    from llm_data_assets.text.signals import SIGNALS

    known = {signal.name for signal in (*SIGNALS, *OPTIONAL)}
    pipeline = workspace.pipeline
    rules = list(rules_of(workspace))
    named = set()
    for index, name in enumerate(pipeline.model.signals.also):
        if name in known:
            named.add(name)
            continue
        try:
            rules += _opened(name, pipeline.model.rule_sets)
        except FileNotFoundError as error:
            problem, _, way_out = str(error).partition(" Try: ")
            raise pipeline.error(
                ("signals", "also", index), f"{problem} It is no signal either.", way_out
            ) from None
    named = named.union(*({rule.signal, *rule.when, *rule.unless} for rule in rules))
    known |= {"doc_id", "language", *DOCUMENT_COLUMNS, OVERLAP}
    for rule in rules:
        for name in (rule.signal, *rule.when, *rule.unless):
            if name not in known:
                close = difflib.get_close_matches(name, known, n=3) or ["a name of docs/signals.md"]
                raise pipeline.error(
                    ("rules",),
                    f"the rule {rule.name!r} names {name!r}, which is neither a signal nor a "
                    "column of the document",
                    " or ".join(close),
                )
    for signal in OF_MODELS:
        if signal.name in named - _of_models(pipeline.model.signals):
            kind, _, of = signal.name.rpartition("_")
            settings = {"score": f"classifiers.{kind}", "words": f"words.{kind}"}
            raise pipeline.error(
                ("rules",),
                f"{signal.name!r} is named, and nothing measures it",
                f"`signals.{settings.get(of, of)}` in this file",
            )
    return named


def _of_models(settings: Signals) -> set[str]:
    """The signals that models and lists of the pipeline give."""
    scores = {f"{name}_score" for name in settings.classifiers}
    words = {f"{name}_words" for name in settings.words}
    return scores | words | ({"perplexity"} if settings.perplexity else set())


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


def names_are_unique(workspace: Workspace, rules: list[Rule]) -> None:
    """Two rules of one name: a verdict could mean either.

    Raises:
        ConfigError: names the rule.
    """
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
