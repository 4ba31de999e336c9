"""Lines that say nothing of the document: policies, scripts, boilerplate, and citation marks."""

import re
from collections import Counter
from collections.abc import Sequence

from llm_data_assets.text.edits import Edit, apply_edits

# Raffel et al. 2020, section 2.2; datatrove 0.10 and the C4 code name the same six.
_POLICY = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
_CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
# Whole lines, lower-cased and without marks at either end, that pages of any site have.
_LISTED_BOILERPLATE = (
    "share this|share this post|share on facebook|share on twitter|click to share|tweet|"
    "pin it|read more|continue reading|learn more|show more|load more|see all|"
    "view all|back to top|skip to content|skip to main content|sign in|sign up|log in|"
    "login|register|subscribe|subscribe to our newsletter|sign up for our newsletter|"
    "leave a comment|leave a reply|post a comment|add a comment|add to cart|"
    "add to wishlist|add to basket|print this page|email this page|all rights reserved|"
    "powered by wordpress|previous post|next post|advertisement|related posts|"
    "related articles|table of contents|上一篇|下一篇|返回顶部|版权所有|阅读全文|查看更多|"
    "点击查看更多|分享到|"
    "相关阅读|相关推荐|责任编辑|登录|注册|加入购物车|立即购买|打印本页|关闭窗口|扫一扫"
)
BOILERPLATE = frozenset(_LISTED_BOILERPLATE.split("|"))
_EDGES = " \t.:：…»›>«‹<|-–—·•*#!！。、[]()（）【】"
# RefinedWeb's line rules (Penedo et al. 2023, appendix G.2) drop counters such as "3 likes".
_COUNTER = re.compile(
    r"\W*\d[\d,.]*[km]?\W+(?:likes?|shares?|comments?|views?|reads?|replies|retweets?|followers?)\W*",
    re.IGNORECASE,
)
# A line this long that stands this often in one document is its page's, not its author's.
REPEATED_CHARACTERS, REPEATED_TIMES = 20, 3
# C4: a word beyond this is no word.
LONG_WORD = 1000

DEFAULT = ("policy", "javascript", "citation", "boilerplate", "repeated")


def clean_lines(
    text: str, kinds: Sequence[str] = DEFAULT, boilerplate: frozenset[str] = frozenset()
) -> tuple[str, list[Edit]]:
    """Remove lines of the given kinds, and citation marks; positions are those of `text`.

    - `policy`, `javascript`, `long_word`: C4's lines (its demand that a line end in punctuation
      is a signal here, not an edit);
    - `citation`: `[12]`, `[edit]`, `[citation needed]` within a line;
    - `boilerplate`: a line that is one of `BOILERPLATE` or of `boilerplate` (lower-cased), or
      counts likes and comments;
    - `repeated`: the second and later copies of a line of at least 20 characters that stands at
      least three times.
    """
    if not _could_change(text, kinds):
        return text, []
    lines = text.split("\n")
    copies = _copies(lines) if "repeated" in kinds else {}
    why = [_kind(line, kinds, copies, boilerplate) for line in lines]
    last_kept = max((i for i, kind in enumerate(why) if kind is None), default=-1)
    edits: list[Edit] = []
    start = 0
    for number, (line, kind) in enumerate(zip(lines, why, strict=True)):
        if kind and 0 <= last_kept < number:  # the line break before it goes with it
            edits.append(Edit(f"line_{kind}", start - 1, len(line) + 1, ""))
        elif kind:
            edits.append(Edit(f"line_{kind}", start, min(len(line) + 1, len(text) - start), ""))
        elif "citation" in kinds and "[" in line:
            edits += [
                Edit("citation", start + mark.start(), len(mark.group()), "")
                for mark in _CITATION.finditer(line)
            ]
        start += len(line) + 1
    edits = [edit for edit in edits if edit.length]
    return apply_edits(text, edits), edits


def _could_change(text: str, kinds: Sequence[str]) -> bool:
    """A look at the whole text, much cheaper than one at each line."""
    if "boilerplate" in kinds or "repeated" in kinds or "long_word" in kinds:
        return True
    lowered = text.lower()
    return "javascript" in lowered or "[" in text or any(p in lowered for p in _POLICY)


def _copies(lines: Sequence[str]) -> dict[str, int]:
    """The lines that stand often enough, with the copies seen so far: none."""
    if len(set(lines)) == len(lines):
        return {}
    return {
        line: 0
        for line, times in Counter(lines).items()
        if times >= REPEATED_TIMES and len(line.strip()) >= REPEATED_CHARACTERS
    }


def _kind(
    line: str, kinds: Sequence[str], copies: dict[str, int], boilerplate: frozenset[str]
) -> str | None:
    if not line:
        return None
    lowered = line.lower()
    if "javascript" in kinds and "javascript" in lowered:
        return "javascript"
    if "policy" in kinds and any(phrase in lowered for phrase in _POLICY):
        return "policy"
    if "boilerplate" in kinds and len(line) <= _LONGEST and _is_boilerplate(lowered, boilerplate):
        return "boilerplate"
    if line in copies:
        copies[line] += 1
        if copies[line] > 1:
            return "repeated"
    if "long_word" in kinds and len(line) > LONG_WORD and max(map(len, line.split())) > LONG_WORD:
        return "long_word"
    return None


_LONGEST = 200


def _is_boilerplate(line: str, own: frozenset[str]) -> bool:
    bare = line.strip(_EDGES)
    return bare in BOILERPLATE or bare in own or bool(_COUNTER.fullmatch(line))
