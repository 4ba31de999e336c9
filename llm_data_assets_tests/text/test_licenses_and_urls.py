"""Licences in SPDX's spelling and against a policy; URLs against the user's lists."""

from pathlib import Path

import pytest

from llm_data_assets.text.licenses import normalise, standing
from llm_data_assets.text.url_lists import UrlList, matching_entry, read_list


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("mit", "MIT"),
        ("MIT License", "MIT"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("mit or APACHE 2.0", "MIT OR Apache-2.0"),
        ("(MIT License) AND gpl v3 or later", "MIT AND GPL-3.0-or-later"),
        ("GPL-2.0-or-later WITH Classpath-exception-2.0",) * 2,
        ("https://creativecommons.org/licenses/by-sa/4.0/", "CC-BY-SA-4.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        (None, "NOASSERTION"),
        ("  ", "NOASSERTION"),
        # What SPDX does not know stays as it was said.
        ("see LICENSE file", "see LICENSE file"),
        ("(MIT", "(MIT"),
    ],
)
def test_licences_are_spelled_as_spdx_does(stated: str | None, expected: str) -> None:
    assert normalise(stated) == expected
    assert normalise(normalise(stated)) == expected


@pytest.mark.parametrize(
    ("expression", "allow", "deny", "expected"),
    [
        ("MIT", ["MIT"], [], "allowed"),
        ("GPL-3.0-only", ["MIT"], [], "denied"),
        ("GPL-3.0-only", [], ["GPL-3.0-only"], "denied"),
        ("MIT", ["MIT"], ["mit"], "denied"),
        ("MIT OR GPL-3.0-only", ["MIT"], [], "allowed"),
        ("MIT AND GPL-3.0-only", ["MIT"], [], "denied"),
        ("MIT AND Home-Made", ["MIT"], [], "unknown"),
        ("NOASSERTION", ["MIT"], [], "unknown"),
        ("see LICENSE file", ["MIT"], [], "unknown"),
        ("MIT", [], ["GPL-3.0-only"], "unknown"),
    ],
)
def test_a_choice_takes_the_best_licence_and_a_sum_needs_all(
    expression: str, allow: list[str], deny: list[str], expected: str
) -> None:
    assert standing(expression, allow, deny) == expected


DOMAINS = UrlList("bad", "domains", frozenset({"spam.example", "site.example/ads"}))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://spam.example/a", "spam.example"),
        ("http://www.deep.Spam.Example:8080", "spam.example"),
        ("spam.example/path", "spam.example"),
        ("https://site.example/ads/1.html", "site.example/ads"),
        ("https://notspam.example/", None),
        ("https://site.example/adsense", None),
        ("https://good.example/?u=spam.example", None),
        ("http://[broken", None),
        (None, None),
    ],
)
def test_a_domain_covers_its_subdomains_and_a_path_what_is_below(
    url: str | None, expected: str | None
) -> None:
    assert matching_entry(url, [DOMAINS]) == (("bad", expected) if expected else None)


def test_a_keep_list_overrules_wherever_it_stands() -> None:
    keep = UrlList("ours", "domains", frozenset({"good.spam.example"}), keep=True)
    for lists in ([DOMAINS, keep], [keep, DOMAINS]):
        assert matching_entry("https://good.spam.example/", lists) is None
        assert matching_entry("https://spam.example/", lists) == ("bad", "spam.example")


def test_words_and_substrings_can_ask_for_several_hits() -> None:
    soft = UrlList("soft", "words", frozenset({"casino", "bonus"}), at_least=2)
    assert matching_entry("http://x.example/casino-night", [soft]) is None
    assert matching_entry("http://x.example/casino_bonus", [soft]) == ("soft", "bonus casino")
    parts = UrlList("hard", "substrings", frozenset({"xxx", "a.b"}))
    assert matching_entry("http://myxxxsite.example", [parts]) == ("hard", "xxx")
    assert matching_entry("http://aob.example", [parts]) is None


def test_ut1_folders_are_read_category_by_category(tmp_path: Path) -> None:
    (tmp_path / "gambling").mkdir()
    (tmp_path / "gambling" / "domains").write_text("# lists\nbet.example\nwww.dice.example\n")
    (tmp_path / "gambling" / "urls").write_text("portal.example/games\n")
    (tmp_path / "gambling" / "usage").write_text("black\n")
    (tmp_path / "empty").mkdir()
    lists = read_list("ut1", "ut1", tmp_path, keep=False, at_least=1)
    assert [each.name for each in lists] == ["ut1/gambling"]
    assert matching_entry("http://dice.example", lists) == ("ut1/gambling", "dice.example")
    assert matching_entry("http://portal.example/games/7", lists) is not None


def test_a_list_without_entries_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("# nothing\n")
    with pytest.raises(ValueError, match="has no entry"):
        read_list("l", "domains", tmp_path / "list", keep=False, at_least=1)
    with pytest.raises(ValueError, match="holds no folder"):
        read_list("l", "ut1", tmp_path, keep=False, at_least=1)
