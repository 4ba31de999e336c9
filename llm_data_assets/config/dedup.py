"""What counts as a duplicate, and the published settings of other toolkits."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Unit = Literal["script", "word", "character"]
Normalisation = Literal["default", "none", "lower", "datatrove", "data_prep_kit", "redpajama"]
Preset = Literal["datatrove", "nemo_curator", "data_juicer", "redpajama", "data_prep_kit"]
# A field of a document: a column, or a name below `meta`.
DocumentField = Annotated[str, Field(pattern=r"^(url|title|native_id|meta\.[A-Za-z_][\w.-]*)$")]
QualityField = Annotated[str, Field(pattern=r"^(n_bytes|created_at|meta\.[A-Za-z_][\w.-]*)$")]

# As released: datatrove 0.10, NeMo Curator 1.4, data-juicer 1.6, RedPajama-Data v2 ("0.8"),
# data-prep-kit of 2026-06. Thresholds are the similarity each aims at: datatrove's is the middle
# of 14 x 8, (1/14)^(1/8); data-juicer's bands are datasketch's search for 0.7 of 256.
PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "datatrove": {
            "ngram": 5,
            "unit": "word",
            "normalisation": "datatrove",
            "num_perm": 112,
            "bands": 14,
            "rows": 8,
            "threshold": 0.72,
            "seed": 1,
        },
        "nemo_curator": {
            "ngram": 24,
            "unit": "character",
            "normalisation": "none",
            "num_perm": 260,
            "bands": 20,
            "rows": 13,
            "threshold": 0.8,
            "seed": 42,
        },
        "data_juicer": {
            "ngram": 5,
            "unit": "word",
            "normalisation": "lower",
            "num_perm": 256,
            "bands": 25,
            "rows": 10,
            "threshold": 0.7,
            "seed": 42,
        },
        "redpajama": {
            "ngram": 13,
            "unit": "word",
            "normalisation": "redpajama",
            "num_perm": 128,
            "bands": 9,
            "rows": 13,
            "threshold": 0.8,
            "seed": 1,
        },
        "data_prep_kit": {
            "ngram": 5,
            "unit": "word",
            "normalisation": "data_prep_kit",
            "num_perm": 112,
            "bands": 14,
            "rows": 8,
            "threshold": 0.75,
            "seed": 42,
        },
    }
)


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceShingles(_Settings):
    """What shingles of one source are made of, where it differs from the rest."""

    ngram: int | None = Field(None, ge=1, le=64, description="Words or characters in a shingle")
    unit: Unit | None = Field(None, description="As in dedup")


class Repeats(_Settings):
    """Passages that stood in their source before and are cut out of later documents; off."""

    lines: bool = Field(False, description="Lines, equal as CCNet's paragraphs are")
    paragraphs: bool = Field(False, description="Paragraphs, parted by empty lines")
    sentences: bool = Field(False, description="Runs of three sentences, as C4 has it")
    min_characters: int = Field(
        20, ge=1, description="Shorter lines, paragraphs and runs are left alone"
    )
    substring_bytes: int | None = Field(
        None, ge=10, description="Exact substrings of so many bytes; the extra `substrings`"
    )
    substring_words: int | None = Field(
        None, ge=5, description="Exact substrings of so many words; 50 is usual"
    )


class Semantic(_Settings):
    """Documents that say the same in other words go too, after SemDeDup (Abbas et al. 2023)."""

    max_cosine: float = Field(
        gt=0, le=1, description="Cosine to a document that stays above which one goes"
    )
    sentence_model: str | None = Field(
        None,
        description="Folder of a sentence model (model.onnx, tokenizer.json), relative to this "
        "file, whose vectors are compared; TF-IDF and SVD if absent. Extra: local-models",
    )
    vectors: str | None = Field(
        None,
        description="Instead of a model: a Parquet file of doc_id and vector, relative to this "
        "file",
    )
    clusters: int | None = Field(
        None, ge=1, description="Of k-means; the square root of the documents if absent"
    )
    dimensions: int = Field(64, ge=2, le=512, description="Of TF-IDF and SVD")
    seed: int = Field(1, ge=0, lt=1 << 32, description="Of SVD and k-means")

    @model_validator(mode="after")
    def _has_one_origin_of_vectors(self) -> Self:
        if self.sentence_model and self.vectors:
            raise ValueError("has a sentence_model and vectors. Try: one of the two")
        return self


class Dedup(_Settings):
    """What counts as a duplicate. Defaults are FineWeb's 14 x 8 (Penedo et al. 2024), verified."""

    preset: Preset | None = Field(
        None, description="A toolkit whose settings fill in what is not given here"
    )
    normalisation: Normalisation = Field(
        "default", description="What of a text counts; all but the default run in Python"
    )
    unit: Unit = Field(
        "script",
        description="word, character, or script: words, and characters (two for each of ngram) "
        "where the script has no spaces",
    )
    ngram: int = Field(5, ge=1, le=64, description="Words or characters in a shingle")
    sources: dict[str, SourceShingles] = Field(
        default_factory=dict, description="Other ngram or unit for a source, by its name"
    )
    num_perm: int = Field(112, ge=2, le=1024, description="MinHash permutations")
    seed: int = Field(1, ge=0, lt=1 << 32, description="Of the permutations")
    bands: int | None = Field(
        14,
        ge=1,
        description="Bands; bands x rows may not exceed num_perm. Bands and rows that are not "
        "given are searched for (as datasketch does) where threshold or num_perm is",
    )
    rows: int | None = Field(8, ge=1, description="Rows of a band")
    threshold: float = Field(0.8, gt=0, le=1, description="True Jaccard from which one goes")
    same_url: bool = Field(False, description="Documents of one address are duplicates")
    same_key: DocumentField | None = Field(
        None,
        description="Documents of one value are duplicates: url, title, native_id or meta.NAME",
    )
    quality: QualityField | None = Field(
        None,
        description="At equal priority the greater value stays: n_bytes, created_at or meta.NAME",
    )
    scope: Literal["across", "within", "groups"] = Field(
        "across", description="Compare across sources, within each source, or within `groups`"
    )
    groups: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Sources that are compared with each other, by name of the group; a source "
        "of no group stands alone",
    )

    repeats: Repeats = Repeats()
    semantic: Semantic | None = Field(None, description="Off if absent")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        """The preset's values, then a search for bands, for what is not given."""
        if not isinstance(given, dict):
            return given
        preset = PRESETS.get(str(given.get("preset")), {})
        own_cut = "num_perm" in given or ("threshold" in given and not preset)
        searched = {"bands": None, "rows": None} if own_cut else {}
        if "bands" in given or "rows" in given:
            searched = {}
        return {**preset, **searched, **given}

    @model_validator(mode="after")
    def _bands_fit(self) -> Self:
        if (self.bands is None) != (self.rows is None):
            raise ValueError("bands and rows go together. Try: give both, or neither")
        if self.bands and self.rows and self.bands * self.rows > self.num_perm:
            raise ValueError(
                f"{self.bands} bands of {self.rows} rows need {self.bands * self.rows} "
                f"permutations, num_perm is {self.num_perm}. Try: raise num_perm or lower bands"
            )
        return self

    @model_validator(mode="after")
    def _groups_make_sense(self) -> Self:
        if bool(self.groups) != (self.scope == "groups"):
            raise ValueError(
                f"scope is {self.scope} and groups are {'' if self.groups else 'not '}given. "
                "Try: scope: groups with groups, or neither"
            )
        named = [source for sources in self.groups.values() for source in sources]
        twice = sorted({source for source in named if named.count(source) > 1})
        if twice:
            raise ValueError(f"{twice[0]!r} stands in two groups. Try: one group a source")
        return self

    def scope_of(self, source: str) -> str:
        """What a source shares with those it is compared with."""
        if self.scope == "across":
            return ""
        return next(
            (f"group {name}" for name, sources in self.groups.items() if source in sources),
            f"source {source}",
        )

    def shingling_of(self, source: str) -> dict[str, Any]:
        """ngram, unit and normalised of a source, as `dedup.minhash` takes them."""
        own = self.sources.get(source, SourceShingles())
        return {
            "ngram": own.ngram or self.ngram,
            "unit": own.unit or self.unit,
            "normalised": self.normalisation,
        }
