"""Wikitext becomes prose: what a reader of the page would read, without its furniture."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.sources.wikitext import plain_text

WORDS = st.sampled_from(["harbour", "pilot", "1890", "é", "船", "a|b", " ", "\n"])
MARKUP = st.sampled_from(
    ["{{", "}}", "[[", "]]", "{|", "|}", "\n{|", "\n|}", "<ref>", "</ref>", "<ref name=x />",
     "<!--", "-->", "<math>", "</math>", "'''", "''", "==", "-{", "}-", "[http://x", "]", "|"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("'''Bold''', ''italic'' and '''''both'''''.", "Bold, italic and both."),
        ("A dog''''s'''' life", "A dog's' life"),
        ("[[Harbour]], [[Harbour|port]]s, [[:File:Map.png|the map]].", "Harbour, ports, the map."),
        ("[[Harbour#History|its past]] and [[Harbour|]]", "its past and Harbour"),
        ("[[Pier|{{nowrap|the pier}}]]", "Pier"),
        ("[https://example.org the site] and [https://example.org].", "the site and ."),
        ("[//example.org/a here]", "here"),
        ("See [1] and [sic].", "See [1] and [sic]."),
        ("A{{cite|a={{b|c}}|d=[[e]]}} fact.", "A fact."),
        ("A<ref>x {{cite|y}}</ref> fact<ref name=a/>.", "A fact."),
        ("A<ref>torn {{cite</ref> fact.", "A fact."),
        ("Before<!-- hidden {{ --> after", "Before after"),
        ("Rate <math>x_{a_{b}} }}</math>is {{x|<math>{{</math>}}low.", "Rate is low."),
        ("{{box|\n{| class=x\n| cell\n|}\n}}After", "After"),
        ("Before\n{|\n| {{a|b}} || [[c]]\n{|\n| inner\n|}\n|}\nAfter", "Before\n\nAfter"),
        ("{{box|last=|}}After", "After"),
        ("<gallery>\nFile:a.png|cap\n</gallery>After", "After"),
        ("<table><tr><td>cell</td></tr></table>After", "After"),
        ("[[File:a.png|thumb|A [[b|c]] and [[d]]]]After", "After"),
        ("[[image:a.png]][[Category:Harbours]][[ category : x]]After", "After"),
        ("After[[de:Hafen]][[zh-min-nan:Káng]]", "After"),
        ("[[wikt:quay|quay]]", "quay"),
        ("== History ==\nText\n=== 1890 ===\nMore", "History\nText\n1890\nMore"),
        ("* one\n** two\n# three\n; term\n: indented", "one\ntwo\nthree\nterm\nindented"),
        ("a<br />b<br>c<div class=x>d</div>", "a\nb\nc\nd"),
        ("H<sub>2</sub>O is <span style='x'>wet</span>", "H2O is wet"),
        ("1 < 2 and a<b, c>d", "1 < 2 and a<b, c>d"),
        ("5&nbsp;km &lt;ref&gt; &amp;amp;", "5\xa0km <ref> &amp;"),
        ("__NOTOC__Text\n----\n__init__", "Text\n\n__init__"),
        ("Berlin ({{IPA|x}}; {{audio|y}}) is", "Berlin is"),
        ("北京（{{lang|x}}，）是", "北京是"),
        ("a\n\n\n \n\nb", "a\n\nb"),
        ("unclosed {{ and [[ stay", "unclosed {{ and [[ stay"),
        ("closing }} and ]] stay", "closing }} and ]] stay"),
        ("", ""),
    ],
)  # fmt: skip
def test_markup_becomes_prose(wikitext: str, expected: str) -> None:
    assert plain_text(wikitext) == expected


def test_the_namespaces_of_the_wiki_are_left_out() -> None:
    names = ("файл", "категория")
    assert plain_text("[[Файл:a.png|мини]]Текст[[Категория:X]]", dropped_links=names) == "Текст"
    assert plain_text("[[文件:a.png]]正文[[分类:X]][[檔案:b]]") == "正文"


@pytest.mark.parametrize(
    ("mark", "variant", "expected"),
    [
        ("-{zh-hans:软件; zh-hant:軟體}-", "zh-hans", "软件"),
        ("-{zh-hans:软件; zh-hant:軟體}-", "zh-hant", "軟體"),
        ("-{zh-hans:软件; zh-hant:軟體}-", "zh-tw", "軟體"),
        ("-{zh-tw:軟體; zh-cn:软件}-", "zh-hans", "软件"),
        ("-{zh-hk:軟件；zh-tw:軟體；}-", "zh-hant", "軟體"),
        ("-{zh-hk:軟件}-", "zh-hans", "軟件"),
        ("-{A|zh-hans:软件; zh-hant:軟體}-", "zh-hans", "软件"),
        ("-{H|zh-hans:软件; zh-hant:軟體}-", "zh-hans", ""),
        ("-{T|zh-hans:标题; zh-hant:標題}-", "zh-hans", ""),
        ("-{R|乾隆}-", "zh-hans", "乾隆"),
        ("-{乾隆}-", "zh-hans", "乾隆"),
        ("-{12:30}-", "zh-hans", "12:30"),
    ],
)
def test_chinese_variants(mark: str, variant: str, expected: str) -> None:
    assert plain_text(f"前{mark}后", variant) == f"前{expected}后"


@settings(max_examples=150, deadline=None)
@given(parts=st.lists(st.one_of(WORDS, MARKUP), max_size=30))
def test_any_jumble_is_read_to_its_end(parts: list[str]) -> None:
    text = plain_text("".join([*parts, "</ref></math>-->|}]]}}\n|}", "\n\nThe last words."]))
    assert text.endswith("The last words.")


@settings(max_examples=60, deadline=None)
@given(words=st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=1, max_size=12))
def test_prose_without_markup_is_as_it_was(words: list[str]) -> None:
    text = " ".join(words)
    assert plain_text(text) == text


@settings(max_examples=60, deadline=None)
@given(
    nested=st.recursive(
        st.sampled_from(["words", "[[a|b]]", "x<ref>y</ref>", "<!-- z -->"]),
        lambda inner: st.builds("{{{{name|{}|k={}}}}}".format, inner, inner),
        max_leaves=12,
    )
)
def test_a_template_says_nothing_however_deep(nested: str) -> None:
    assert plain_text(f"before {{{{outer|{nested}}}}}after") == "before after"


@pytest.mark.parametrize(
    "hostile",
    ["[[" * 100_000, "[[a" * 100_000 + "]]" * 100_000, "{{" * 100_000 + "}}" * 100_000,
     "<ref>" * 100_000, "<!--" * 100_000, "<math>" * 100_000, "[//a " * 100_000,
     "[//" + "a" * 300_000, "\n{|" * 100_000 + "\n|}" * 100_000, "-{" * 100_000, "= " * 100_000,
     "(" + " ," * 100_000, "\n " * 100_000, "<b " * 100_000],
    ids=lambda hostile: hostile[:6].strip() or "blank",
)  # fmt: skip
def test_unclosed_and_nested_markup_is_read_to_its_end(hostile: str) -> None:
    """Without recursion, and without going back: a quadratic pass over these would take minutes."""
    assert len(plain_text(hostile)) <= len(hostile)
