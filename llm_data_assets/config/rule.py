"""Rules: named predicates over what was measured, and how a pipeline lists them."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, FiniteFloat, Tag, model_validator


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Settings):
    """A named predicate over one signal: a document outside the bounds is dropped or flagged."""

    name: str = Field(description="The reason a dropped document carries")
    signal: str = Field(description="A column of quality_signals, or license, language, url ...")
    min: FiniteFloat | None = Field(None, description="Smallest value that stays")
    max: FiniteFloat | None = Field(None, description="Largest value that stays")
    one_of: list[str] | None = Field(None, description="Values that stay")
    none_of: list[str] | None = Field(None, description="Values that go")
    when: dict[str, list[str]] = Field(
        default_factory=dict, description="Columns and the values for which the rule applies"
    )
    unless: dict[str, list[str]] = Field(
        default_factory=dict, description="Columns and the values for which it does not apply"
    )
    action: Literal["drop", "flag"] = Field("drop", description="flag keeps the document")

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        if self.min is None and self.max is None and not self.one_of and not self.none_of:
            raise ValueError(f"the rule {self.name!r} has no bound. Try: min, max, one_of, none_of")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(
                f"the rule {self.name!r} keeps nothing: min {self.min:g} > max {self.max:g}. "
                "Try: swap them"
            )
        return self


class RuleSetUse(_Settings):
    """A rule set by name, narrowed to a part of the documents."""

    use: str = Field(description="A shipped rule set, or one of `rule_sets`")
    when: dict[str, list[str]] = Field(default_factory=dict)
    unless: dict[str, list[str]] = Field(default_factory=dict)


def _kind_of_rule_entry(entry: object) -> str:
    """Which of the three an entry of `rules` is, so that an error speaks of that one alone."""
    if isinstance(entry, str):
        return "name"
    fields = entry if isinstance(entry, dict) else getattr(entry, "__dict__", {})
    return "use" if "use" in fields else "rule"


RuleEntry = Annotated[
    Annotated[str, Tag("name")] | Annotated[RuleSetUse, Tag("use")] | Annotated[Rule, Tag("rule")],
    Discriminator(_kind_of_rule_entry),
]
