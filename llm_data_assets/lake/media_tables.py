"""The tables of the media branch."""

from collections.abc import Iterable

import pyarrow as pa

from llm_data_assets.lake.catalog import literal, quote
from llm_data_assets.lake.instruction_tables import schema
from llm_data_assets.lake.schemas import RAW_CORPUS, Table

_ROW = ("doc_id", pa.string(), "The pair: <source>/<native id or file digest-offset>")
_KIND = ("kind", pa.string(), "image, video or audio")
_URL = ("url", pa.string(), "Address at the publisher; nothing is fetched")
_PATH = ("path", pa.string(), "A file beside the manifest, or a member of the archive")
_CAPTION = ("caption", pa.string(), "What is said of it: repaired, NFC")
_WIDTH = ("width", pa.int64(), "Pixels, as the publisher says")
_HEIGHT = ("height", pa.int64(), "Pixels, as the publisher says")
_SECONDS = ("seconds", pa.float64(), "Length: of a recording by its own header")
_LANGUAGE = ("language", pa.string(), "Language the publisher or the catalog declares")
_N_BYTES = ("n_bytes", pa.int64(), "UTF-8 bytes of the caption")
SCORE = pa.struct([("name", pa.string()), ("value", pa.float64())])

RAW_PAIRS = Table(
    "raw_pairs",
    "Pictures, films and recordings by reference, with their captions, in one schema.",
    ("source",),
    schema(
        _ROW,
        _KIND,
        _URL,
        _PATH,
        _CAPTION,
        ("says", pa.string(), "What the caption is: caption, transcript or title"),
        _WIDTH,
        _HEIGHT,
        _SECONDS,
        ("silence_share", pa.float64(), "Silent share of a recording; null if not listened to"),
        ("recording_fault", pa.string(), "none, not_installed (extra `audio`) or broken"),
        ("nsfw", pa.string(), "The publisher's label, as LAION's UNLIKELY, UNSURE, NSFW"),
        ("phash", pa.string(), "Perceptual hash, 16 hex digits"),
        ("phash_fault", pa.string(), "Why the publisher's is none: not_hex, other_size; else none"),
        ("scores", pa.list_(SCORE), "The publisher's numbers, by name"),
        ("origin", RAW_CORPUS.schema.field("origin").type, "Where it lies in the file"),
        _LANGUAGE,
        ("license", pa.string(), "SPDX expression where known, else the source's"),
        _N_BYTES,
        ("n_repairs", pa.int32(), "Repairs made to the caption: decoding, controls, NFC"),
        ("meta", pa.string(), "JSON of what else the format said"),
    ),
    texts=("caption", "meta"),
)

PAIR_DUPLICATES = Table(
    "pair_duplicates",
    "One row a removed pair: the kept one it repeats, how similar, by which method.",
    ("source",),
    schema(
        _ROW,
        ("kept_doc_id", pa.string(), "The pair that stays"),
        ("kept_source", pa.string(), "Its source"),
        ("similarity", pa.float64(), "Share of the hash's bits that agree; 1 of other methods"),
        ("method", pa.string(), "url, phash or caption"),
    ),
)

DEDUPED_PAIRS = Table(
    "deduped_pairs",
    "The names of the pairs that repeat no other.",
    ("source",),
    schema(_ROW, _N_BYTES),
)

FILTERED_PAIRS = Table(
    "filtered_pairs",
    "The pairs that every rule lets pass, as a downloader wants them.",
    ("source",),
    schema(
        _ROW,
        _KIND,
        _URL,
        _PATH,
        _CAPTION,
        _WIDTH,
        _HEIGHT,
        _SECONDS,
        ("language", pa.string(), "Language of the caption, as detected"),
        ("license", pa.string(), "SPDX expression; NOASSERTION where none is known"),
        _N_BYTES,
    ),
    texts=("caption",),
)

MEDIA_TABLES = (RAW_PAIRS, PAIR_DUPLICATES, DEDUPED_PAIRS, FILTERED_PAIRS)


def pair_signals(signals: pa.Schema) -> Table:
    """The signal table for the given columns; which signals exist is the media room's."""
    return Table(
        "pair_signals",
        "One row a pair, one column a signal; thresholds appear nowhere.",
        ("source",),
        pa.schema([*schema(_ROW), *signals]),
    )


def score_columns(names: Iterable[str]) -> str:
    """The end of a SELECT list over `pair_signals`: each of these scores as a column."""
    return "".join(
        f", list_filter(scores, lambda said: said.name = {literal(name)})[1].value AS {quote(name)}"
        for name in sorted(names)
    )
