"""Instruction data: how repeats are found, what is measured, what is selected, what is written."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

from llm_data_assets.config.rule import RuleEntry

ChatFormat = Literal["messages", "sharegpt", "alpaca", "tokenized"]
TASK_TYPES = ("recall", "reasoning", "creative", "tool_use")
# The mission's shares, which have no other source.
QUOTAS = {"recall": 0.1, "reasoning": 0.5, "creative": 0.2, "tool_use": 0.2}


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InstructionDedup(_Settings):
    """Which instructions repeat another; across all sources, the smaller priority stays."""

    near: float | None = Field(
        0.8, gt=0, le=1, description="Jaccard similarity of the whole dialogue that goes; null: no"
    )
    rouge: float | None = Field(
        0.7,
        gt=0.3,
        lt=1,
        description="ROUGE-L F of the question above which it goes (Self-Instruct, "
        "Wang et al. 2023); null: no",
    )


class Selection(_Settings):
    """Which of the rows that pass the rules are taken, of each source."""

    method: Literal["all", "top", "clusters", "diverse", "influence"] = Field(
        "all",
        description="top: highest scores; clusters: some of each k-means cluster; diverse: "
        "highest scores that resemble none taken (DEITA); influence: predicted gain",
    )
    n: int | None = Field(None, ge=1, description="Rows to take; all that the method leaves")
    score: str = Field("quality", description="Column that ranks, the largest first")
    max_cosine: float = Field(
        0.9, gt=0, le=1, description="Of `diverse`: cosine to a taken row above which a row goes "
        "(Liu et al. 2024)"
    )  # fmt: skip
    clusters: int | None = Field(
        None, ge=1, description="Of `clusters`: how many; the square root of the rows if absent"
    )
    sentence_model: str | None = Field(
        None, description="Folder of a sentence model (model.onnx, tokenizer.json), relative to "
        "this file, whose vectors are compared; TF-IDF and SVD if absent. Extra: local-models"
    )  # fmt: skip
    dimensions: int | None = Field(
        None, ge=2, le=16_384, description="Numbers a vector: 64 of TF-IDF and SVD if absent, of a "
        "sentence model what it gives"
    )  # fmt: skip
    gains: str | None = Field(
        None,
        description="Of `influence`: CSV of doc_id and gain, relative to this file, that a ridge "
        "regression is fitted to",
    )
    quotas: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict,
        description="Shares by task type; true is {recall: 0.1, reasoning: 0.5, creative: 0.2, "
        "tool_use: 0.2}; needs n; none if absent",
    )
    seed: int = 1

    @field_validator(
        "quotas", mode="before", json_schema_input_type=dict[str, float] | Literal[True]
    )
    @classmethod
    def _usual(cls, given: Any) -> Any:
        return QUOTAS if given is True else given or {}

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.method in ("top", "clusters") and self.n is None:
            raise ValueError(f"the method {self.method} needs a number of rows. Try: n: 1000")
        if self.quotas and self.n is None:
            raise ValueError("quotas are shares of a number of rows. Try: n: 1000")
        if self.quotas and abs(sum(self.quotas.values()) - 1) > 1e-6:
            total = sum(self.quotas.values())
            raise ValueError(f"the quotas sum to {total:.6g}, not 1. Try: scale them")
        if unknown := sorted(set(self.quotas) - set(TASK_TYPES)):
            raise ValueError(f"{unknown[0]!r} is no task type. Try: one of {', '.join(TASK_TYPES)}")
        if (self.method == "influence") != (self.gains is not None):
            raise ValueError("gains belong to the method influence, which needs them. "
                             "Try: gains: gains.csv")  # fmt: skip
        return self


class ChatExport(_Settings):
    """The files of the mix."""

    formats: Annotated[list[ChatFormat], Field(min_length=1)] = Field(
        default_factory=lambda: list[ChatFormat](["messages"]), description="Files to write"
    )
    template: str | None = Field(
        None,
        description="Of tokenized: a chat template (Jinja, as tokenizer_config.json has it), "
        "relative to this file; ChatML if absent",
    )
    tokenizer: str | None = Field(
        None, description="Of tokenized: a SentencePiece .model or tokenizer.json"
    )
    max_tokens: int = Field(4096, ge=8, description="Of tokenized: longer rows leave")
    validation_share: float = Field(
        0, ge=0, le=0.5, description="Held out; rows of one question stay on one side"
    )
    max_rows: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, description="Most rows of a source"
    )
    seed: int = 1

    @model_validator(mode="after")
    def _tokens_need_a_tokenizer(self) -> Self:
        if "tokenized" in self.formats and self.tokenizer is None:
            raise ValueError("tokenized needs a tokenizer. Try: tokenizer: chat.model")
        return self


class Instructions(_Settings):
    """From dialogues and preferences to a selected mix."""

    dedup: InstructionDedup = InstructionDedup()
    terms: str | None = Field(
        None, description="Terms of the field, a line each with an optional weight after a tab; "
        "`concept_density` counts them"
    )  # fmt: skip
    unsafe_terms: str | None = Field(
        None, description="Terms that `unsafe_terms` counts, a line each; relative to this file"
    )
    rating: str | None = Field(
        None, description="Field of a row's meta that rates it; else the formats' own ratings"
    )
    rating_range: tuple[FiniteFloat, FiniteFloat] = Field(
        (-1000.0, 1000.0), description="A rating outside is none, and says so in rating_fault"
    )
    scorers: list[str] = Field(
        default_factory=list, description="Scorers by entry point, each a column of its name; "
        "with `language_model` also perplexity and ifd"
    )  # fmt: skip
    language_model: str | None = Field(
        None, description="Folder of a causal language model (model.onnx, tokenizer.json), "
        "relative to this file, for the scorers perplexity and ifd. Extra: local-models"
    )  # fmt: skip
    rules: list[RuleEntry] = Field(
        default_factory=lambda: list[RuleEntry](["instructions"]),
        description="Rule sets by name and single rules, over scored_instructions",
    )
    select: Selection = Selection()
    export: ChatExport = ChatExport()
    max_reject_share: FiniteFloat = Field(0.05, ge=0, le=1)
