"""Wikitext to plain text in one pass: no template is expanded, nothing is looked up."""

import html
import re
from collections.abc import Collection
from dataclasses import dataclass

# Deeper brackets than these are vandalism; a bound keeps the pass linear.
_MAX_DEPTH = 100
# Between these tags nothing is markup, and nothing is text either.
_RAW = ("math", "chem", "timeline", "score", "syntaxhighlight", "source", "hiero", "graph")
_DROPPED = (
    "ref", "gallery", "table", "imagemap", "references", "templatestyles", "mapframe", "maplink",
)  # fmt: skip
_OTHER_TAGS = (
    "abbr", "b", "bdi", "bdo", "big", "blockquote", "br", "center", "cite", "code", "dd", "del",
    "dfn", "div", "dl", "dt", "em", "font", "h[1-6]", "hr", "i", "includeonly", "ins", "kbd",
    "li", "mark", "noinclude", "nowiki", "ol", "onlyinclude", "p", "poem", "pre", "q", "rb",
    "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strike", "strong", "sub",
    "sup", "td", "th", "tr", "tt", "u", "ul", "var", "wbr",
)  # fmt: skip
_TOKEN = re.compile(
    rf"""
    (?P<comment> <!-- )
  | <(?P<raw> {"|".join(_RAW)} ) (?=[\s/>]) [^<>]* >
  | <(?P<end> / )? (?P<tag> {"|".join(_DROPPED)} ) (?=[\s/>]) [^<>]* >
  | (?P<open> \{{\{{ | \[\[ | ^[ \t:]*\{{\| )
  | (?P<close> \}}\}} | \]\] | ^[ \t]*\|\}}(?!\}}) )
    """,
    re.X | re.M | re.I,
)
_PARTNER = {"}}": "{{", "]]": "[[", "|}": "{|"}
_BREAK = re.compile(r"<(?:br|hr|/?p|/?div|/?li|/?blockquote)(?=[\s/>])[^<>]*>", re.I)
_TAG = re.compile(rf"</?(?:{'|'.join((*_OTHER_TAGS, *_RAW, *_DROPPED))})(?=[\s/>])[^<>]*>", re.I)
_EXTERNAL = re.compile(
    r"\[(?:https?:|ftp:|mailto:|news:|irc:)?//[^\s\[\]]*+[ \t]*+([^\[\]\n]*+)\]", re.I
)
_QUOTES = re.compile(r"'{2,}")
_MAGIC_WORD = re.compile(r"__[A-Z]{3,30}__")
_LIST_MARK = re.compile(r"^[*#:;]+[ \t]*", re.M)
_RULE = re.compile(r"^-{4,}", re.M)
_BLANK_LINES = re.compile(r"\n[ \t]*\n[\s]*\n")
_EMPTY_BRACKETS = re.compile(r"[ \t]?[（(][\s,;，；、:：]*[)）]")
_VARIANT = re.compile(r"-\{([^{}]*)\}-")
_FLAGS = re.compile(r"([A-Za-z;\- ]{0,20})\|")
_INTERLANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z-]{2,12})?:\S")
# English names work on every wiki, and Chinese ones are written in both scripts.
_FILE_OR_CATEGORY = frozenset(
    {
        "file", "image", "media", "category",
        "文件", "档案", "檔案", "图像", "圖像", "媒体", "媒體", "分类", "分類",
    }
)  # fmt: skip
# Who is read instead of whom (MediaWiki's LanguageZh: fallbacks of each variant).
_FALLBACKS = {
    "zh-hans": ("zh-hans", "zh-cn", "zh-sg", "zh-my", "zh"),
    "zh-cn": ("zh-cn", "zh-hans", "zh-sg", "zh-my", "zh"),
    "zh-sg": ("zh-sg", "zh-hans", "zh-cn", "zh-my", "zh"),
    "zh-my": ("zh-my", "zh-sg", "zh-hans", "zh-cn", "zh"),
    "zh-hant": ("zh-hant", "zh-tw", "zh-hk", "zh-mo", "zh"),
    "zh-tw": ("zh-tw", "zh-hant", "zh-hk", "zh-mo", "zh"),
    "zh-hk": ("zh-hk", "zh-hant", "zh-mo", "zh-tw", "zh"),
    "zh-mo": ("zh-mo", "zh-hant", "zh-hk", "zh-tw", "zh"),
}


def plain_text(
    wikitext: str, variant: str = "zh-hans", dropped_links: Collection[str] = frozenset()
) -> str:
    """The prose of a page: links as their labels, headings as lines, lists without their marks.

    Templates, tables, references, comments, formulas, galleries, files and categories are gone.
    A bracket that is never closed stays as it is written.

    Args:
        variant: which of `-{zh-hans:..;zh-hant:..}-` is read.
        dropped_links: lower-case names of the wiki's file and category namespaces.
    """
    text = _VARIANT.sub(lambda mark: _resolved(mark.group(1), variant), wikitext)
    text = _without_brackets(text, _FILE_OR_CATEGORY.union(dropped_links))
    text = _EXTERNAL.sub(r"\1", text)
    text = _TAG.sub("", _BREAK.sub("\n", text))
    text = _QUOTES.sub(lambda found: "'" if len(found[0]) == 4 else "", text)
    text = _LIST_MARK.sub("", _RULE.sub("", _MAGIC_WORD.sub("", text)))
    text = "\n".join(_heading(line) for line in text.split("\n"))
    text = _EMPTY_BRACKETS.sub("", html.unescape(text))
    return _BLANK_LINES.sub("\n\n", text).strip()


@dataclass(slots=True)
class _Open:
    """A bracket or tag that waits for its end: what it is, and where its output starts."""

    kind: str
    start: int


def _without_brackets(text: str, dropped_links: Collection[str]) -> str:
    """The text with every closed bracket replaced by what it says, if it says anything."""
    out: list[str] = []
    stack: list[_Open] = []
    unclosed: set[str] = set()
    at = 0
    while found := _TOKEN.search(text, at):
        out.append(text[at : found.start()])
        at = found.end()
        token = found[0]
        if found["comment"] or found["raw"]:
            if not token.endswith("/>"):
                at = _end_of_raw(text, at, (found["raw"] or "").lower(), unclosed)
        elif tag := found["tag"]:
            if found["end"]:
                _close(stack, out, tag.lower())
            elif not token.endswith("/>"):
                _push(stack, out, tag.lower(), token)
        elif found["open"]:
            _push(stack, out, token.lstrip(" \t:"), token)
        else:
            kind = _PARTNER[token.strip()]
            inside = _closed(stack, out, kind)
            if inside is None:
                out.append(token)
            elif kind == "[[":
                out.append(_link(inside, dropped_links))
    return "".join(out) + text[at:]


def _end_of_raw(text: str, at: int, tag: str, unclosed: set[str]) -> int:
    """Where a comment or raw element that began before `at` ends; `at` if it never does."""
    if tag in unclosed:
        return at
    end = re.compile(rf"</{tag}\s*>" if tag else "-->", re.I).search(text, at)
    if end:
        return end.end()
    unclosed.add(tag)
    return at


def _push(stack: list[_Open], out: list[str], kind: str, token: str) -> None:
    if len(stack) < _MAX_DEPTH:
        stack.append(_Open(kind, len(out)))
    out.append(token)


def _close(stack: list[_Open], out: list[str], tag: str) -> None:
    """Drop what stands since the tag was opened, and any bracket left open in it."""
    for depth in range(len(stack) - 1, -1, -1):
        if stack[depth].kind == tag:
            del out[stack[depth].start :]
            del stack[depth:]
            return


def _closed(stack: list[_Open], out: list[str], kind: str) -> str | None:
    """Take what a bracket holds off the output; None if no bracket of the kind is open.

    Brackets inside it that were never closed are plain text. An open tag is not looked past:
    what it holds belongs to it.
    """
    for depth in range(len(stack) - 1, -1, -1):
        if stack[depth].kind == kind:
            inside = "".join(out[stack[depth].start + 1 :])
            del out[stack[depth].start :]
            del stack[depth:]
            return inside
        if stack[depth].kind in _DROPPED:
            return None
    return None


def _link(inside: str, dropped_links: Collection[str]) -> str:
    """What a link shows: its label, else its target; nothing for files and categories."""
    target, pipe, label = inside.partition("|")
    target = target.strip()
    if not target.startswith(":"):
        namespace, colon, _ = target.partition(":")
        if colon and namespace.strip().replace("_", " ").lower() in dropped_links:
            return ""
        if not pipe and _INTERLANGUAGE.match(target):
            return ""
    return label if label.strip() else target.removeprefix(":")


def _heading(line: str) -> str:
    bare = line.rstrip()
    return bare.strip("=").strip() if bare.startswith("=") and bare.endswith("=") else line


def _resolved(inside: str, variant: str) -> str:
    """What one variant mark shows: the chosen variant or its nearest, else the first given.

    The flags H, T and - only teach the converter or set the title: they show nothing.
    """
    flags = _FLAGS.match(inside)
    if flags:
        if set(flags.group(1).upper()) & {"H", "T", "-"}:
            return ""
        inside = inside[flags.end() :]
    choices: dict[str, str] = {}
    for part in inside.replace("；", ";").split(";"):
        name, colon, words = part.partition(":")
        if colon and name.strip().lower().startswith("zh"):
            choices.setdefault(name.strip().lower(), words.strip())
    if not choices:
        return inside
    order = _FALLBACKS.get(variant, (variant,))
    return next((choices[name] for name in order if name in choices), next(iter(choices.values())))
