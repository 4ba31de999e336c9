"""Who goes and who stays: verified, in one order, the same whatever the rows' order."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.dedup.bands import band_keys
from llm_data_assets.dedup.choose import distinct, find_duplicates
from llm_data_assets.dedup.exact import text_hashes, value_hashes
from llm_data_assets.dedup.minhash import shingle_counts, shingle_sets, signatures
from llm_data_assets.dedup.similarity import similarity

# One row a band: documents of J 0.55 meet with probability 1 - 1e-39.
ALL_MEET = {"bands": 112, "rows": 1}
WORDS = [f"w{i}" for i in range(400)]


def run_of(start: int, stop: int) -> str:
    """A text of `stop - start` distinct five-word shingles, numbered from `start`."""
    return " ".join(WORDS[start : stop + 4])


def describe(rows: list[dict]) -> pa.Table:
    texts = pa.array([row["text"] for row in rows], pa.string())
    signature = signatures(texts)
    return pa.table(
        {
            "doc_id": pa.array([row["doc_id"] for row in rows], pa.string()),
            "source": pa.array([row.get("source", "s") for row in rows], pa.string()),
            "scope": pa.array([row.get("scope", "") for row in rows], pa.string()),
            "priority": pa.array([row.get("priority", 0) for row in rows], pa.int32()),
            "quality": pa.array([row.get("quality") for row in rows], pa.float64()),
            "text_hash": text_hashes(texts),
            "url": value_hashes(pa.array([row.get("url") for row in rows], pa.string())),
            "n_shingles": pa.array(shingle_counts(texts)),
            "signature": pa.array(list(signature), pa.list_(pa.uint32())),
        }
    )


def find_in(table: pa.Table, texts: Callable, *, bands: int, rows: int, **settings) -> pa.Table:
    """`find_duplicates` of described documents, whose `texts` are given by row; the rows it names
    are those of the documents."""
    signature = np.array(table["signature"].to_pylist(), np.uint32).reshape(-1, 112)
    keys = band_keys(signature, bands=bands, rows=rows).T
    found = find_duplicates(table, keys, lambda wanted: shingle_sets(texts(wanted)), **settings)
    named = table.select(["doc_id", "source"]).take(found["row"].combine_chunks())
    assert named.to_pylist() == found.select(["doc_id", "source"]).to_pylist()
    return found.drop_columns("row")


def find(documents: list[dict], scope: str = "across", threads: int = 1, **settings) -> list[dict]:
    def texts(wanted: np.ndarray) -> pa.Array:
        return pa.array([documents[i]["text"] for i in wanted], pa.string())

    table = describe(documents)
    if scope == "within":
        place = table.schema.get_field_index("scope")
        table = table.set_column(place, "scope", table["source"])
    arguments = {"threshold": 0.8, **ALL_MEET, **settings}
    with ThreadPoolExecutor(threads) as pool:
        return find_in(table, texts, in_order=pool.map, **arguments).to_pylist()


def partners(documents: list[dict], **settings) -> dict[str, str]:
    return {row["doc_id"]: row["kept_doc_id"] for row in find(documents, **settings)}


def reference(
    rows: list[dict],
    threshold: float,
    bands: int,
    rows_: int,
    scope: str,
    by_url: bool = False,
    cosine: Callable[[int, int], float | None] = lambda i, j: None,
) -> list[dict]:
    """The contract, word for word: every document against every kept one before it."""
    table = describe(rows)
    signature = np.array(table["signature"].to_pylist(), np.uint32).reshape(-1, 112)
    keys = band_keys(signature, bands=bands, rows=rows_)

    def place(i: int) -> tuple:
        quality = rows[i].get("quality")
        return (
            rows[i].get("priority", 0),
            quality is None,
            -(quality or 0.0),
            rows[i]["doc_id"].encode(),
        )

    kept: list[int] = []
    found = []
    for i in sorted(range(len(rows)), key=place):
        alike, meant = [], []
        for j in kept:
            if scope == "within" and rows[i].get("source", "s") != rows[j].get("source", "s"):
                continue
            if table["text_hash"][i] == table["text_hash"][j]:
                alike.append((1.0, j, "exact"))
            elif by_url and rows[i].get("url") and rows[i]["url"] == rows[j].get("url"):
                alike.append((similarity(rows[i]["text"], rows[j]["text"]), j, "url"))
            elif table["n_shingles"][i].as_py() and (keys[i] == keys[j]).any():
                s = similarity(rows[i]["text"], rows[j]["text"])
                if s >= threshold:
                    alike.append((s, j, "near"))
            if (s := cosine(i, j)) is not None:
                meant.append((s, j, "semantic"))
        alike = alike or meant
        if not alike:
            kept.append(i)
            continue
        s, j, method = max(alike, key=lambda each: each[0])
        found.append(
            {
                "doc_id": rows[i]["doc_id"],
                "source": rows[i].get("source", "s"),
                "kept_doc_id": rows[j]["doc_id"],
                "kept_source": rows[j].get("source", "s"),
                "similarity": s,
                "method": method,
            }
        )
    return found


def test_a_copy_and_a_near_copy_go_and_name_what_they_repeat() -> None:
    rows = [
        {"doc_id": "c", "text": run_of(0, 99), "source": "web"},
        {"doc_id": "b", "text": run_of(0, 100).upper() + "!", "source": "web"},
        {"doc_id": "a", "text": run_of(0, 100), "source": "books"},
        {"doc_id": "d", "text": run_of(200, 300), "source": "web"},
    ]
    assert find(rows) == [
        {
            "doc_id": "b",
            "source": "web",
            "kept_doc_id": "a",
            "kept_source": "books",
            "similarity": 1.0,
            "method": "exact",
        },
        {
            "doc_id": "c",
            "source": "web",
            "kept_doc_id": "a",
            "kept_source": "books",
            "similarity": 0.99,
            "method": "near",
        },
    ]


def test_strangers_do_not_go_by_a_chain() -> None:
    """Connected components would keep one of three. J(A, C) = 0.6 is as strange as it gets:
    1 - J is a metric, so J(A, B) = J(B, C) = 0.8 leave A and C no further apart."""
    a, b, c = run_of(0, 80), run_of(0, 100), run_of(20, 100)
    assert similarity(a, b) == similarity(b, c) == 0.8
    assert similarity(a, c) == 0.6
    rows = [{"doc_id": name, "text": text} for name, text in zip("ABC", (a, b, c), strict=True)]
    assert partners(rows) == {"B": "A"}
    rows[1]["priority"] = -1
    assert partners(rows) == {"A": "B", "C": "B"}


def test_the_threshold_is_reached_by_being_equal_to_it() -> None:
    rows = [{"doc_id": "a", "text": run_of(0, 90)}, {"doc_id": "b", "text": run_of(10, 100)}]
    assert partners(rows, threshold=0.8) == {"b": "a"}
    assert partners(rows, threshold=0.8001) == {}


def test_the_most_similar_kept_document_is_named_and_of_equals_the_first() -> None:
    rows = [
        {"doc_id": "a", "text": run_of(0, 90)},
        {"doc_id": "b", "text": run_of(20, 110)},
        {"doc_id": "c", "text": run_of(10, 101)},
    ]
    assert partners(rows, threshold=0.75) == {"c": "b"}
    rows[2]["text"] = run_of(10, 100)
    assert partners(rows, threshold=0.75) == {"c": "a"}


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [
        ({"priority": 1}, {"priority": 0}, "b"),
        ({"priority": 0, "quality": 0.1}, {"priority": 1, "quality": 0.9}, "a"),
        ({"quality": 0.1}, {"quality": 0.9}, "b"),
        ({"quality": None}, {"quality": -5.0}, "b"),
        ({"quality": 0.5}, {"quality": 0.5}, "a"),
        ({}, {}, "a"),
    ],
)
@pytest.mark.parametrize("text", [run_of(0, 60), run_of(0, 61)])
def test_priority_then_quality_then_id_decide_who_stays(
    first: dict, second: dict, stays: str, text: str
) -> None:
    rows = [
        {"doc_id": "a", "text": run_of(0, 60), **first},
        {"doc_id": "b", "text": text, **second},
    ]
    goes = {"a": "b", "b": "a"}[stays]
    assert partners(rows) == {goes: stays}


def test_a_copy_of_a_document_that_goes_is_near_to_what_stays() -> None:
    """And to the most similar of all that stay before it, though its own original came earlier."""
    rows = [
        {"doc_id": "a", "text": run_of(0, 90)},
        {"doc_id": "b", "text": run_of(10, 100)},
        {"doc_id": "c", "text": run_of(20, 101)},
        {"doc_id": "d", "text": run_of(10, 100)},
    ]
    assert find(rows)[0]["kept_doc_id"] == "a"
    assert find(rows)[1] == {
        "doc_id": "d",
        "source": "s",
        "kept_doc_id": "c",
        "kept_source": "s",
        "similarity": pytest.approx(80 / 91),
        "method": "near",
    }


def test_within_a_source_other_sources_do_not_count() -> None:
    rows = [
        {"doc_id": "a", "source": "x", "text": run_of(0, 60)},
        {"doc_id": "b", "source": "y", "text": run_of(0, 60)},
        {"doc_id": "c", "source": "y", "text": run_of(0, 59)},
    ]
    assert partners(rows, scope="within") == {"c": "b"}
    assert partners(rows, scope="across") == {"b": "a", "c": "a"}


def test_documents_of_one_address_go_whatever_they_say_and_the_number_says_how_alike() -> None:
    rows = [
        {"doc_id": "a", "text": run_of(0, 60), "url": "https://a"},
        {"doc_id": "b", "text": run_of(200, 260), "url": "https://a"},
        {"doc_id": "c", "text": run_of(200, 260), "url": "https://c"},
        {"doc_id": "d", "text": run_of(300, 360), "url": None},
        {"doc_id": "e", "text": run_of(320, 380), "url": None},
    ]
    found = find(rows, exact_by=["url"])
    assert [(row["doc_id"], row["kept_doc_id"], row["method"]) for row in found] == [
        ("b", "a", "url")  # and c stays: what says the same is gone
    ]
    assert found[0]["similarity"] == 0.0
    assert partners(rows) == {"c": "b"}


def test_texts_without_shingles_go_only_as_exact_copies() -> None:
    rows = [{"doc_id": str(i), "text": text} for i, text in enumerate(["", " ", "?", "!", "? "])]
    assert partners(rows) == {"1": "0", "4": "2"}


def test_one_word_is_a_document() -> None:
    rows = [{"doc_id": str(i), "text": text} for i, text in enumerate(["word", "Word.", "ward"])]
    assert partners(rows) == {"1": "0"}


TEXTS = st.builds(run_of, st.integers(0, 24), st.integers(26, 50)) | st.sampled_from(["", "?", "w"])
DOCUMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "text": TEXTS,
            "source": st.sampled_from("xy"),
            "priority": st.integers(0, 1),
            "quality": st.sampled_from([None, 0.0, 0.5]),
            "url": st.sampled_from([None, None, "", "a", "b", "c", "d", "e"]),
        }
    ),
    max_size=24,
).map(lambda rows: [{**row, "doc_id": f"{row['source']}/{i}"} for i, row in enumerate(rows)])


@settings(max_examples=150, deadline=None)
@given(
    DOCUMENTS,
    st.randoms(use_true_random=False),
    st.sampled_from([0.3, 0.6, 0.8]),
    st.sampled_from([(112, 1), (14, 8), (2, 3)]),
    st.sampled_from(["across", "within"]),
    st.sampled_from([1, 3]),
    st.booleans(),
)
def test_the_answer_is_the_contracts_whatever_the_order_and_the_threads(
    rows: list[dict],
    random,
    threshold: float,
    cut: tuple[int, int],
    scope: str,
    threads: int,
    by_url: bool,
) -> None:
    bands, rows_ = cut
    expected = reference(rows, threshold, bands, rows_, scope, by_url)
    by = ["url"] if by_url else []
    random.shuffle(rows)
    found = find(
        rows,
        threshold=threshold,
        bands=bands,
        rows=rows_,
        scope=scope,
        threads=threads,
        exact_by=by,
    )
    assert found == expected


SHORT = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.sampled_from(["", "?", "!", "w", "v"]),
            "source": st.sampled_from("xy"),
            "url": st.sampled_from([None, "a", "b", "c"]),
        }
    ),
    max_size=16,
).map(lambda rows: [{**row, "doc_id": f"{i:02}"} for i, row in enumerate(rows)])


@settings(max_examples=100, deadline=None)
@given(SHORT, st.sampled_from(["across", "within"]), st.booleans())
def test_an_exact_copy_is_named_before_one_of_the_same_address_though_neither_has_shingles(
    rows: list[dict], scope: str, backwards: bool
) -> None:
    expected = reference(rows, 0.8, 14, 8, scope, by_url=True)
    if backwards:
        rows.reverse()
    assert find(rows, bands=14, rows=8, scope=scope, exact_by=["url"]) == expected


ALONG = st.lists(st.integers(0, 12), min_size=24, max_size=24)
CLUSTERS = st.lists(st.integers(0, 2), min_size=24, max_size=24)


@settings(max_examples=100, deadline=None)
@given(
    DOCUMENTS,
    ALONG,
    CLUSTERS,
    st.sampled_from(["across", "within"]),
    st.sampled_from([(112, 1), (14, 8)]),
)
def test_by_meaning_goes_what_nothing_else_lets_go_and_only_for_one_that_stays(
    rows: list[dict], along: list[int], clusters: list[int], scope: str, cut: tuple[int, int]
) -> None:
    """Against the contract word for word. One text has one vector: the first that has it."""
    of_text: dict[str, int] = {}
    for i, row in enumerate(rows):
        of_text.setdefault(row["text"], i)
    own = [of_text[row["text"]] for row in rows]
    # Products of these are exact, so that equals are equal.
    vectors = np.array([(0.5, x / 16) for x in along])

    def meaning(wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mine = np.array([own[i] for i in wanted], np.int64)
        return vectors[mine].astype(np.float32), np.array(clusters, np.int32)[mine]

    def cosine(i: int, j: int) -> float | None:
        found = float(vectors[own[i]] @ vectors[own[j]])
        return found if clusters[own[i]] == clusters[own[j]] and found > 0.5 else None

    expected = reference(rows, 0.6, *cut, scope, cosine=cosine)
    found = find(
        rows, threshold=0.6, bands=cut[0], rows=cut[1], scope=scope, meaning=meaning,
        max_cosine=0.5,
    )  # fmt: skip
    assert found == expected


@settings(max_examples=50, deadline=None)
@given(SHORT, st.booleans())
def test_distinct_documents_are_the_first_of_their_kind_in_the_total_order(
    rows: list[dict], by_url: bool
) -> None:
    firsts: dict[tuple, int] = {}
    for i, row in enumerate(rows):
        firsts.setdefault((row["text"], (row["url"] or "") if by_url else ""), i)
    found, place_of = distinct(describe(rows), ["url"] if by_url else [])
    assert found.tolist() == list(firsts.values())
    for i, row in enumerate(rows):
        assert found[place_of[i]] == firsts[row["text"], (row["url"] or "") if by_url else ""]


def test_vectors_that_do_not_fit_say_so() -> None:
    rows = [{"doc_id": "a", "text": run_of(0, 90)}, {"doc_id": "b", "text": run_of(0, 89)}]
    with pytest.raises(ValueError, match="gave 1 vectors and 2 clusters for 2 rows"):
        find(rows, meaning=lambda wanted: (np.zeros((1, 2)), np.zeros(2)))


def test_only_candidates_are_fetched_and_each_once() -> None:
    rows = [{"doc_id": f"{i:03}", "text": run_of(i % 50 * 7, i % 50 * 7 + 6)} for i in range(100)]
    rows += [{"doc_id": "near", "text": run_of(0, 7)}, {"doc_id": "alone", "text": "by itself"}]
    asked: list[int] = []

    def texts(wanted: np.ndarray) -> pa.Array:
        asked.extend(wanted.tolist())
        return pa.array([rows[i]["text"] for i in wanted])

    find_in(describe(rows), texts, threshold=0.8, bands=14, rows=8)
    assert asked == [0, 100]


def test_a_hundred_thousand_copies_cost_one_pass() -> None:
    n = 100_000
    two = describe([{"doc_id": "", "text": run_of(0, 90)}, {"doc_id": "", "text": run_of(0, 89)}])
    which = pa.array(np.arange(n) % 2)
    table = two.take(which).set_column(0, "doc_id", pa.array([f"{i:06}" for i in range(n)]))
    fetched = []

    def texts(wanted: np.ndarray) -> pa.Array:
        fetched.append(len(wanted))
        return pa.array([run_of(0, 90 - i % 2) for i in wanted])

    found = find_in(table, texts, threshold=0.8, bands=14, rows=8)
    assert fetched == [2]
    assert found.num_rows == n - 1
    assert found["kept_doc_id"].unique().to_pylist() == ["000000"]
    assert found["method"].value_counts().to_pylist() == [
        {"values": "near", "counts": n // 2},
        {"values": "exact", "counts": n // 2 - 1},
    ]


def test_a_slice_of_several_chunks_is_a_table_like_any_other() -> None:
    rows = [{"doc_id": "a", "text": run_of(0, 90)}, {"doc_id": "b", "text": run_of(0, 89)}]
    table = describe(rows)
    changed = table.set_column(5, "text_hash", table["text_hash"].cast(pa.binary()))
    changed = pa.concat_tables([changed[1:], changed])[1:]
    found = find_in(
        changed,
        lambda wanted: pa.array([rows[i]["text"] for i in wanted]),
        threshold=0.8,
        bands=14,
        rows=8,
    )
    assert found["doc_id"].to_pylist() == ["b"]


def test_no_documents_have_no_duplicates() -> None:
    assert find([]) == []


def test_what_cannot_be_answered_says_so() -> None:
    rows = [{"doc_id": "a", "text": run_of(0, 90)}, {"doc_id": "b", "text": run_of(0, 89)}]
    with pytest.raises(ValueError, match=r"threshold is 1\.5"):
        find(rows, threshold=1.5)
    with pytest.raises(ValueError, match="15 bands of 8 rows do not fit a signature of 112 values"):
        find(rows, bands=15, rows=8)
    with pytest.raises(ValueError, match="doc_id 'a' stands in several rows"):
        find([rows[0], rows[0]])
    with pytest.raises(ValueError, match="gave 0 sets for 2 rows"):
        find_in(describe(rows), lambda wanted: pa.array([], pa.string()), threshold=0.8, **ALL_MEET)
