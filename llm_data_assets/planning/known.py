"""Published data sets and models, each number with a mark that says how far it can be trusted.

Marks: `verified` in a primary source, `transcribed` in a faithful transcription (card, abstract),
`unchecked` from memory. Several widespread figures are corrected in `note`.
"""

from dataclasses import asdict, dataclass
from typing import Any

_MARK = {"V": "verified", "T": "transcribed", "U": "unchecked"}


@dataclass(frozen=True)
class Known:
    """A published data set or model: its size, the mark of that size, licence and a note."""

    kind: str
    name: str
    size: str
    mark: str
    licence: str
    note: str


# name | size | mark | licence | note
_DATASETS = """
The Pile | 825.18 GiB (886 GB), 22 sets, 1254.20 GiB with epochs | V | mixed | GiB, not GB
Common Crawl | 200-400 TiB of text a crawl, about monthly | T | Common Crawl terms |
C4 | 175B tokens (as in RedPajama and Dolma) | V | ODC-BY |
mC4 | 101 languages; refreshed for umT5: 29T characters, 107 languages | T | ODC-BY |
OSCAR | 150+ languages | U | CC0 annotations, gated | by Inria (ALMAnaCH), not Hugging Face
ROOTS | 1.6 TB, 46 natural and 13 programming languages | U | gated | by BigScience
Wikipedia (en) | 3.6-4B tokens | V | CC BY-SA 4.0 |
Gutenberg | 10.88 GiB (Pile), 4.8B tokens (Dolma) | V | public domain (US) |
RedPajama-1T | 1.2T tokens | V | per source |
RedPajama-v2 | 20.8B documents, 30.4T tokens deduplicated, 84 dumps | V | Common Crawl terms |
Dolma | 3.08T tokens v1; 5.4 TB v1.6, 4.5 TB v1.7 | V | ODC-BY |
RefinedWeb | about 5T tokens, 600B public | T | ODC-BY |
FineWeb | 15T tokens, 96 dumps, 44 TB | T | ODC-BY |
FineWeb-Edu | 1.3T tokens (5.4T at the lower threshold) | T | ODC-BY |
DCLM | pool over 300T tokens (README) | V | CC-BY-4.0 | 240T is also cited
The Stack v1 | 6.4 TB, 358 languages | V | per file, gated |
The Stack v2 | 67.5 TB, 600+ languages, train-full 900B+ tokens | V | SWH terms | permissive or none
CodeParrot | 22M Python files, 180 GB (50 GB compressed) | V | mixed | about 70 % duplicates
github-code | 1 TB, 32 languages | V | mixed |
Public Git Archive | 182k repositories, about 3 TB | U | per repository | sources, not only metadata
LAION-400M | 413M pairs | U | CC-BY-4.0 metadata |
LAION-5B | 5.85B pairs | U | CC-BY-4.0 metadata | withdrawn 2023-12; Re-LAION 2024-08
LAION-COCO | 600M synthetic captions of LAION-2B-en | U | unknown | no extension of COCO
COYO-700M | 747M pairs | U | CC-BY-4.0 |
CC3M | 3.3M pairs | U | Google terms |
CC12M | 12.4M pairs | U | Google terms |
WebVid-10M | 10.7M clips | U | unknown | withdrawn 2024-02
LibriSpeech | about 982 hours | U | CC BY 4.0 |
Libri-Light | about 60k hours | U | public domain |
OASST1 | 161,443 messages, 66,497 trees, 35 languages | T | Apache-2.0 | not conversations
Dolly-15k | 15,011 records | U | CC BY-SA 3.0 |
Alpaca | 52,002 records | U | CC BY-NC 4.0 |
ShareGPT | dumps of 52K and 90K conversations | U | unclear | not known to be open
UltraFeedback | 64k prompts | V | MIT | rated by GPT-4
MathPile | 9.5B tokens | U | CC BY-NC-SA |
School Math 0.25M | 0.25M problems, Chinese (BELLE) | U | GPL-3.0, non-commercial |
Papers With Code | closed 2025-07 | U | unknown | links are dead
"""
_MODELS = """
Llama 2 | 2T tokens | U | |
Llama 3 8B | 15T+ tokens, 1.3M H100 hours | V | |
Llama 3 70B | 15T+ tokens, 6.4M H100 hours | V | |
Llama 3.1 405B | 15.6T tokens | T | |
MiMo-7B | about 25T tokens; RL on 130K problems; SFT 500K to 6M | V | |
Yi-6B/34B | 3T tokens | V | | 34B-200K: 5B more
Falcon-40B | 1,000B tokens | T | Apache-2.0 | RefinedWeb and curated, not RedPajama
DeepSeek-V2 | 8.1T tokens | T | | 21B of 236B active
Yuan2.0-M32 | 2T tokens | V | | 3.7B of 40B active
Chinchilla | 1.4T tokens | V | |
DCLM 412M | 8.2B tokens, 2.0e19 FLOP | V | |
DCLM 1.4B | 28B tokens, 2.4e20 FLOP | V | |
DCLM 2.8B | 55.9B tokens, 9.4e20 FLOP | V | |
DCLM 6.9B | 138B tokens, 5.7e21 FLOP | V | |
DCLM 6.9B, 2x | 276B tokens, 1.1e22 FLOP | V | |
"""


def known(kind: str | None = None) -> list[dict[str, Any]]:
    """Rows of `known_datasets` (kind `dataset`) and `known_models` (kind `model`), or of both."""
    rows = []
    for each, text in (("dataset", _DATASETS), ("model", _MODELS)):
        for line in text.strip().splitlines() if kind in (None, each) else ():
            name, size, mark, licence, note = (cell.strip() for cell in line.split("|"))
            rows.append(asdict(Known(each, name, size, _MARK[mark], licence, note)))
    return rows
