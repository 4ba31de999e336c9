"""URL rules: lists of domains, substrings and words that the user supplies, to block or to keep."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

ListKind = Literal["ut1", "domains", "substrings", "words"]
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class UrlList:
    """One list: what it is called, what its entries mean, and whether they keep or block.

    at_least: different entries that one URL must hold (RefinedWeb asks for two soft words).
    """

    name: str
    kind: Literal["domains", "substrings", "words"]
    entries: frozenset[str]
    keep: bool = False
    at_least: int = 1

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, sorted(self.entries, key=len, reverse=True))))


def read_list(name: str, kind: ListKind, path: Path, keep: bool, at_least: int) -> list[UrlList]:
    """The lists of a file of lines, or of a folder in the layout of UT1.

    UT1 (Université Toulouse Capitole) has a folder a category with the files `domains` and `urls`,
    beside `usage` and others that are not read. `#` begins a comment.

    Raises:
        OSError: the file is not there.
        ValueError: the folder holds no category, or the file no entry.
    """
    if kind != "ut1":
        return [UrlList(name, kind, _entries([path]), keep, at_least)]
    folders = [path, *sorted(each for each in path.iterdir() if each.is_dir())]
    lists = []
    for folder in folders:
        files = [folder / part for part in ("domains", "urls") if (folder / part).is_file()]
        if files:
            called = name if folder == path else f"{name}/{folder.name}"
            lists.append(UrlList(called, "domains", _entries(files), keep))
    if not lists:
        raise ValueError(f"{path} holds no folder with a file `domains` or `urls`")
    return lists


def matching_entry(url: str | None, lists: Iterable[UrlList]) -> tuple[str, str] | None:
    """(list, entry) of the first list that blocks a URL; None if none does or one keeps it."""
    if not url:
        return None
    lowered = url.lower()
    blocked = None
    for each in lists:
        if blocked and not each.keep:
            continue
        entry = _match(lowered, each)
        if entry and each.keep:
            return None
        if entry:
            blocked = each.name, entry
    return blocked


def _match(url: str, each: UrlList) -> str | None:
    if each.kind == "domains":
        return next((name for name in _places(url) if name in each.entries), None)
    if each.kind == "substrings":
        found = frozenset(each.pattern.findall(url))
    else:
        found = each.entries.intersection(_WORDS.findall(url))
    return " ".join(sorted(found)) if len(found) >= each.at_least else None


def _places(url: str) -> Iterable[str]:
    """What a list of domains may name a URL by: its host, the domains above, and its paths."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host = (parts.hostname or "").removeprefix("www.").rstrip(".")
    except ValueError:  # a bracket that opens no IPv6 address
        return
    labels = host.split(".")
    yield from (".".join(labels[i:]) for i in range(len(labels)))
    path = parts.path.rstrip("/")
    while path:
        yield host + path
        path = path.rpartition("/")[0]


def _entries(files: Iterable[Path]) -> frozenset[str]:
    entries = set()
    for file in files:
        for line in file.read_text("utf-8", errors="replace").splitlines():
            entry = line.split("#", 1)[0].strip().lower()
            entries.add(entry.removeprefix("www.").rstrip("/") if "." in entry else entry)
    entries.discard("")
    if not entries:
        raise ValueError(f"{', '.join(map(str, files))} has no entry")
    return frozenset(entries)
