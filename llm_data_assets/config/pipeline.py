"""The pipeline: how duplicates are found, which rules decide, how tokens are made and mixed."""

from datetime import date as Date  # noqa: N812 - as in the catalog
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from llm_data_assets.config.automation import Automation
from llm_data_assets.config.catalog import NAME, Source
from llm_data_assets.config.dedup import Dedup
from llm_data_assets.config.engine import Engine
from llm_data_assets.config.instructions import Instructions
from llm_data_assets.config.media import Media
from llm_data_assets.config.plan import Plan
from llm_data_assets.config.rule import Rule as Rule
from llm_data_assets.config.rule import RuleEntry
from llm_data_assets.config.rule import RuleSetUse as RuleSetUse

ExportFormat = Literal["megatron", "mds", "parquet", "jsonl", "webdataset"]
VALIDATION = "validation"  # the phase of a run that no training step sees
PersonalDataKind = Literal["email", "phone", "ip", "id_card", "credit_card", "iban", "secret"]
LineKind = Literal["policy", "javascript", "citation", "boilerplate", "repeated", "long_word"]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReferenceText(_Settings):
    """What an n-gram model learns from."""

    source: str = Field(description="A source whose surviving documents read as texts should")
    sample_mb: float = Field(4, gt=0, le=64, description="Megabytes of it, drawn by a hash of ids")


class ClassifierUse(_Settings):
    """A linear classifier: does a text look like these sources rather than those?"""

    like: Annotated[list[str], Field(min_length=1)] = Field(description="Sources that score 1")
    unlike: Annotated[list[str], Field(min_length=1)] = Field(description="Sources that score 0")
    documents: int = Field(
        5_000, ge=10, le=1_000_000, description="Most of each side, drawn by a hash of ids"
    )

    @model_validator(mode="after")
    def _sides_differ(self) -> Self:
        if both := sorted(set(self.like) & set(self.unlike)):
            raise ValueError(f"{', '.join(both)} is like and unlike. Try: one of the two")
        return self


class Signals(_Settings):
    """What is measured beside what the rules name."""

    general: bool = Field(
        True,
        description="Measure the signals of no toolkit though no rule names one: the studio shows "
        "them. Without them runs take less time",
    )

    perplexity: ReferenceText | None = Field(
        None, description="Measures `perplexity` with a model of a source's text"
    )
    classifiers: dict[Literal["quality", "spam", "toxicity"], ClassifierUse] = Field(
        default_factory=dict,
        description="Measure `quality_score`, `spam_score`, `toxicity_score`",
    )
    words: dict[Literal["spam", "toxicity"], str] = Field(
        default_factory=dict,
        description="Lists, a term a line, relative to this file: `spam_words`, `toxicity_words`",
    )
    also: list[str] = Field(
        default_factory=list,
        description="Signals, or rule sets whose signals are measured though no rule names them",
    )


class EvaluationSet(_Settings):
    """A benchmark that must not be trained on."""

    uri: str = Field(description="A file, plain or gz; a relative path starts at this file")
    format: Literal["jsonl", "gsm8k", "humaneval", "mmlu", "arc", "piqa", "winogrande"] = Field(
        "jsonl", description="The publisher's layout, or jsonl with `fields`"
    )
    fields: list[str] = Field(
        default_factory=list, description="Of jsonl: the fields a model would see"
    )
    id_field: str = Field("id", description="The question's identifier; its line number if absent")

    @model_validator(mode="after")
    def _fields_fit_the_format(self) -> Self:
        if (self.format == "jsonl") != bool(self.fields):
            raise ValueError(
                "fields belong to jsonl, and jsonl needs them. "
                "Try: fields: [question], or another format without fields"
            )
        return self


class Decontamination(_Settings):
    """What happens to a document that holds a benchmark question."""

    rule: Literal["question", "gpt3", "llama2", "paragraph"] = Field(
        "question",
        description="question and llama2 remove the document; gpt3 and paragraph cut it",
    )
    min_share: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Share of the question (of the paragraph, under that rule) from which the "
        "rule holds; 0.5, under llama2 0.8, and none under gpt3",
    )

    @property
    def share(self) -> float:
        # Touvron et al. 2023, appendix A.6: "dirty" from 80 %.
        return self.min_share or (0.8 if self.rule == "llama2" else 0.5)


class UrlListUse(_Settings):
    """A list of addresses that the user supplies."""

    uri: str = Field(description="A file, or a folder in UT1's layout; relative to this file")
    kind: Literal["ut1", "domains", "substrings", "words"] = Field(
        description="What an entry is: a domain (or domain/path), a part of the URL, a word of it"
    )
    keep: bool = Field(False, description="Entries stay whatever another list says")
    at_least: int = Field(1, ge=1, description="Different substrings or words a URL must hold")


class Edits(_Settings):
    """Changes that filtered_corpus makes to a text, each on record."""

    lines: list[LineKind] = Field(
        default_factory=lambda: list[LineKind](
            ["policy", "javascript", "citation", "boilerplate", "repeated"]
        ),
        description="Lines that are removed, and citation marks; never in code",
    )
    boilerplate: list[str] = Field(
        default_factory=list, description="Further lines that are boilerplate, whatever their case"
    )
    personal_data: list[PersonalDataKind] = Field(
        default_factory=lambda: list[PersonalDataKind](get_args(PersonalDataKind)),
        description="Kinds that are masked",
    )


class Tokenizer(_Settings):
    """A SentencePiece model trained on a sample of filtered_corpus, or a given tokenizer."""

    model: str | None = Field(
        None,
        description="To use instead of training: a SentencePiece .model, a tokenizer.json, or a "
        "tiktoken rank file",
    )
    end_token: str | None = Field(
        None, description="What ends a document, for a tokenizer.json; it does not say itself"
    )
    pattern: str | None = Field(
        None, description="Regular expression that cuts texts, for a tiktoken rank file"
    )
    type: Literal["bpe", "unigram"] = "bpe"
    vocab_size: int = Field(32_000, ge=300, le=1_000_000)
    character_coverage: float = Field(0.9999, ge=0.98, le=1)
    sample_mb: float = Field(100, gt=0, description="Megabytes of text to train on")
    sample_alpha: float = Field(
        0.3, ge=0, le=1, description="Share of a language and domain is its size to this"
    )
    compare_vocab_sizes: list[Annotated[int, Field(ge=300, le=1_000_000)]] = Field(
        default_factory=list,
        description="Further sizes to train for tokenizer_report, on the same sample",
    )
    seed: int = 1
    special_tokens: list[str] = Field(default_factory=list, description="Pieces never split")


_GROUPS = ("source", "domain", "language", "license", "since", "before")


class ShareBound(_Settings):
    """How much of the run a group of sources may be; the group is named in one of six ways."""

    source: str | None = Field(None, description="One source")
    domain: str | None = Field(None, description="The sources of a domain")
    language: str | None = Field(None, description="Those whose catalog entry has this language")
    license: str | None = Field(None, description="Those whose catalog entry has this licence")
    since: Date | None = Field(None, description="Those whose catalog entry has this day or later")
    before: Date | None = Field(None, description="Those whose catalog entry has a day before this")
    min: float = Field(0, ge=0, le=1)
    max: float = Field(1, ge=0, le=1)

    @property
    def group(self) -> str:
        """The field that names the group."""
        return next(name for name in _GROUPS if getattr(self, name))

    def holds(self, name: str, source: Source) -> bool:
        """Whether a source is one of the group; one without a date is in none that dates name."""
        if self.since:
            return source.date is not None and source.date >= self.since
        if self.before:
            return source.date is not None and source.date < self.before
        said = name if self.group == "source" else getattr(source, self.group)
        return bool(said == getattr(self, self.group))

    @model_validator(mode="after")
    def _names_one_group(self) -> Self:
        if sum(getattr(self, name) is not None for name in _GROUPS) != 1:
            raise ValueError(f"a bound names one group. Try: one of {', '.join(_GROUPS)}")
        if self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}. Try: swap them")
        return self


class Replay(_Settings):
    """Continual pre-training: text of an earlier recipe among the new, against forgetting."""

    recipe: str = Field(description="The recipe whose mixture is replayed")
    share: float | Literal["weak", "strong"] = Field(
        "weak",
        description="Of the run; weak is 0.05 and strong 0.25, for the shift in distribution "
        "(Ibrahim et al. 2024)",
    )
    how: Literal["replace", "add"] = Field(
        "replace", description="Replay takes the place of new text, or makes the run longer"
    )

    @field_validator("share")
    @classmethod
    def _is_a_share(cls, share: float | str) -> float | str:
        if not isinstance(share, str) and not 0 < share < 1:
            raise ValueError(f"the share {share:g} is not between 0 and 1. Try: 0.05 or 0.25")
        return share


def _sum_to_one(weights: dict[str, float] | None) -> dict[str, float] | None:
    if weights is not None and abs(sum(weights.values()) - 1) > 1e-6:
        total = sum(weights.values())
        scaled = ", ".join(f"{name}: {value / total:.4g}" for name, value in weights.items())
        raise ValueError(f"the weights sum to {total:.6g}, not 1. Try: {{{scaled}}}")
    return weights


class Phase(_Settings):
    """A part of the run with weights of its own; phases follow one another, annealing last."""

    name: str
    share: float = Field(gt=0, le=1, description="Of the run's tokens; they sum to 1")
    weights: dict[str, Annotated[float, Field(ge=0)]] | None = Field(
        None, description="Share of each source in this phase; the recipe's own if absent"
    )
    _weights_sum_to_one = field_validator("weights")(_sum_to_one)


class Recipe(_Settings):
    """A mixture: how much of each source, in what order, packed how, exported as what."""

    sources: list[str] | None = Field(None, description="Sources that take part; all if absent")
    weights: dict[str, Annotated[float, Field(gt=0)]] | None = Field(
        None, description="Share of each source; they sum to 1"
    )
    weighting: Literal["temperature", "unimax"] = Field(
        "temperature", description="Without weights: by size to a power, or as even as caps allow"
    )
    alpha: float = Field(0.5, ge=0, le=1, description="Of `temperature`: share is tokens to this")
    reference: Literal["pile", "llama", "redpajama", "dolma"] | None = Field(
        None, description="Weights of a mixture of the literature, by `domains`"
    )
    domains: dict[str, list[str]] = Field(
        default_factory=dict, description="The reference's domains, and the sources that are each"
    )
    bounds: list[ShareBound] = Field(
        default_factory=list, description="Least and largest shares of groups of sources"
    )
    replay: Replay | None = Field(None, description="An earlier recipe's text among the new")
    phases: list[Phase] = Field(default_factory=list, description="Parts of the run, in order")
    max_epochs: float = Field(
        4, gt=0, description="Passes over one source; four are nearly as good as new text"
    )
    total_tokens: int | None = Field(
        None, gt=0, description="Length of the run; else what caps allow"
    )
    validation_share: float = Field(
        0, ge=0, le=0.5, description="Of documents, held out; equal texts stay on one side"
    )
    sequence_length: int = Field(2048, ge=8)
    packing: Literal["best_fit", "concatenate", "document", "window"] = Field(
        "best_fit", description="How documents become sequences"
    )
    overlap: int = Field(
        0, ge=0, description="Of `window`: tokens that a document's next sequence repeats"
    )
    seed: int = 1
    formats: Annotated[list[ExportFormat], Field(min_length=1)] = Field(
        default_factory=lambda: list[ExportFormat](["megatron"]), description="Files to write"
    )
    export_shard_mb: float = Field(
        1024, gt=0, le=4096, description="Megabytes of token ids (four bytes each) in one file"
    )

    _weights_sum_to_one = field_validator("weights")(_sum_to_one)

    @model_validator(mode="after")
    def _windows_move_on(self) -> Self:
        if self.overlap and (self.packing != "window" or self.overlap >= self.sequence_length):
            raise ValueError(
                f"an overlap of {self.overlap} does not go with {self.packing} sequences of "
                f"{self.sequence_length}. Try: packing: window, and a shorter overlap"
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_weigh(self) -> Self:
        if self.weights and self.reference:
            raise ValueError("has weights and a reference. Try: one of the two")
        if self.reference and not self.domains:
            raise ValueError("names a reference and no `domains`. Try: {CommonCrawl: [web], ...}")
        if self.phases and abs(sum(phase.share for phase in self.phases) - 1) > 1e-6:
            total = sum(phase.share for phase in self.phases)
            raise ValueError(f"the shares of its phases sum to {total:.6g}, not 1. Try: scale them")
        if any(phase.name == VALIDATION for phase in self.phases):
            raise ValueError(f"a phase is named {VALIDATION!r}. Try: `validation_share`")
        if len({phase.name for phase in self.phases}) < len(self.phases):
            raise ValueError("two phases have one name. Try: other names")
        return self


class CheckBounds(_Settings):
    """Bounds of the asset checks."""

    max_reject_share: float = Field(0.05, ge=0, le=1, description="Unreadable records of a source")
    max_duplicate_share: float = Field(0.9, ge=0, le=1, description="Removed by deduplication")
    min_duplicate_precision: float = Field(
        0.99, ge=0, le=1, description="Of a sample of removals, those that are confirmed"
    )
    min_language_share: float = Field(0.5, ge=0, le=1, description="In the languages asked for")
    max_rule_share: float = Field(0.8, ge=0, le=1, description="Documents one rule drops")
    max_unknown_share: float = Field(0.0, ge=0, le=1, description="Unknown tokens")
    max_bytes_per_token_change: float = Field(
        0.1, ge=0, description="Of a source, against its last version"
    )
    warn_psi: float | None = Field(
        0.25, gt=0, description="A signal's drift (PSI) that warns; null never does"
    )
    block_psi: float | None = Field(
        None, gt=0, description="A signal's drift (PSI) that stops the source; null never does"
    )
    drift_baseline: dict[str, int] = Field(
        default_factory=dict,
        description="Source and version of `quality_signals` to compare with, not the last",
    )
    min_classifier_auc: float = Field(
        0.8, ge=0, le=1, description="Of a classifier of `signals`, over documents held out"
    )
    max_share_error: float = Field(0.01, ge=0, le=1, description="Mixture share against plan")


class Schedule(_Settings):
    """When the nightly jobs run once they are switched on."""

    cron: str = "0 3 * * *"
    timezone: str = "UTC"


class Pipeline(_Settings):
    """Everything between a document and a training run."""

    engine: Engine = Engine()
    languages: list[str] = Field(default_factory=list, description="Asked for; empty is any")
    dedup: Dedup = Dedup()
    rules: list[RuleEntry] = Field(
        default_factory=lambda: list[RuleEntry](["gopher", "chinese", "c4", "clean"]),
        description="Shipped or own rule sets by name, and single rules, in order",
    )
    rule_sets: dict[str, list[Rule]] = Field(default_factory=dict, description="Own rule sets")
    signals: Signals = Signals()
    url_lists: dict[str, UrlListUse] = Field(
        default_factory=dict, description="Lists of URLs to block or to keep, in order"
    )
    evaluation_sets: dict[str, EvaluationSet] = Field(default_factory=dict)
    decontamination: Decontamination = Decontamination()
    edits: Edits = Edits()
    tokenizer: Tokenizer = Tokenizer()
    recipes: Annotated[dict[str, Recipe], Field(min_length=1)] = Field(
        default_factory=lambda: {"default": Recipe()}
    )
    instructions: Instructions = Instructions()
    media: Media = Media()
    checks: CheckBounds = CheckBounds()
    plan: Plan = Plan()
    schedule: Schedule = Schedule()
    automation: Automation = Automation()

    @field_validator("recipes")
    @classmethod
    def _names_are_usable(cls, recipes: dict[str, Recipe]) -> dict[str, Recipe]:
        for name in recipes:
            if not NAME.fullmatch(name):
                raise ValueError(
                    f"the recipe name {name!r} cannot be a partition. "
                    "Try: a lower-case letter, then letters, digits and underscores"
                )
        return recipes
