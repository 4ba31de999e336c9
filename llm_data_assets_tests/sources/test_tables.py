"""CSV, TSV, Parquet and Arrow: columns by a mapping, faults that cost their row."""

import csv as stdlib_csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.sources.files import SourceFile, list_files
from llm_data_assets.sources.formats import read_documents, split_offsets
from llm_data_assets_tests.sources.reading import read, read_bytes, reasons

# -- CSV and TSV ---------------------------------------------------------------------------------


def texts(folder: Path, data: bytes, name: str = "csv", **options: object) -> list[str]:
    documents, rejects = read_bytes(folder, data, name, **options)
    assert rejects == []
    return [each.text for each in documents]


def test_cells_go_where_the_mapping_says(tmp_path: Path) -> None:
    data = b"id,body,home,when,by\n7,text,http://e.org,2020-01-02 03:04:05,me\n"
    (document,), _ = read_bytes(
        tmp_path, data, "csv", id="id", text="body", url="home", created_at="when"
    )
    assert (document.text, document.native_id, document.url) == ("text", "7", "http://e.org")
    assert (document.created_at, document.meta) == ("2020-01-02T03:04:05", {"by": "me"})


def test_an_offset_leads_back_to_its_row(tmp_path: Path) -> None:
    data = 'text,n\n"ä\nb",1\n\nc,2\n'.encode()
    documents, _ = read_bytes(tmp_path, data, "csv")
    assert [data[each.offset :][:3] for each in documents] == [b'"\xc3\xa4', b"c,2"]


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("utf-32", None), ("cp1251", "cp1251"),
     ("cp1251", None), ("gb18030", None)],
)  # fmt: skip
def test_encodings_are_declared_or_found(
    tmp_path: Path, encoding: str, declared: str | None
) -> None:
    said = "这是用旧编码写成的一段文字。" if encoding == "gb18030" else "Это старая кодировка, да."
    data = f"text,n\n{said.replace(',', ';')},1\n".encode(encoding)
    assert texts(tmp_path, data, encoding=declared) == [said.replace(",", ";")]


def test_a_compressed_table(tmp_path: Path) -> None:
    assert texts(tmp_path, gzip.compress(b"text\na\nb\n")) == ["a", "b"]


def test_other_delimiters_and_quotes(tmp_path: Path) -> None:
    assert texts(tmp_path, b"text;n\n'a;b';1\n", delimiter=";", quote="'") == ["a;b"]
    assert texts(tmp_path, b'text\tn\n"a\t1\n', "tsv") == ['"a']
    assert texts(tmp_path, b'text\tn\n"a\tb"\t1\n', "tsv", quote='"') == ["a\tb"]


def test_columns_are_named_where_there_is_no_header(tmp_path: Path) -> None:
    assert texts(tmp_path, b"a,1\nb,2\n", columns=["text", "n"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"too,many,cells\n", "wrong number of cells"),
        (b"few\n", "wrong number of cells"),
        (b'"' + b"x" * 200 + b'",1\n', "not csv"),
        (b"a\rb,1\n", "not csv"),
    ],
)
def test_a_broken_row_costs_itself(tmp_path: Path, row: bytes, reason: str) -> None:
    data = b"text,n\nbefore,1\n" + row + b"after,2\n"
    documents, rejects = read_bytes(tmp_path, data, "csv", max_cell=100)
    assert [each.text for each in documents] == ["before", "after"]
    assert [(reject.error.split(":")[0], reject.offset) for reject in rejects] == [(reason, 16)]
    assert rejects[0].first_bytes == row[:80]


def test_a_quote_that_is_never_closed_costs_a_bounded_part(tmp_path: Path) -> None:
    data = b'text,n\n"open,1\n' + b"lost,1\n" * 100 + b"after,2\n" * 100
    documents, rejects = read_bytes(tmp_path, data, "csv", max_cell=700)
    assert [each.text for each in documents[-50:]] == ["after"] * 50
    assert reasons(rejects)[0] == "not csv"


def test_nul_bytes_are_text_for_the_repair_to_see(tmp_path: Path) -> None:
    assert texts(tmp_path, b"text,n\na\0b,1\n") == ["a\0b"]


def test_a_line_without_end_is_never_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llm_data_assets.sources import delimited

    monkeypatch.setattr(delimited, "_MAX_LINE_BYTES", 1_000)
    data = b"text,n\nbefore,1\n" + b"x" * 5_000 + b",1\nafter,2\n"
    documents, rejects = read_bytes(tmp_path, data, "csv")
    assert ([each.text for each in documents], reasons(rejects)) == (
        ["before", "after"],
        ["line too long"],
    )


def test_a_stream_cut_short_keeps_what_was_read(tmp_path: Path) -> None:
    data = gzip.compress(b"text,n\n" + b"".join(b"row %d,1\n" % i for i in range(20_000)))
    documents, rejects = read_bytes(tmp_path, data[:-2_000], "csv")
    assert len(documents) > 1_000
    assert reasons(rejects) == ["truncated stream"]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"body,n\n", "has no column text; its columns are body, n. Try: options: {text: ...}"),
        (b"text,text\n", "has a column twice: text, text"),
    ],
)
def test_a_wrong_header_is_told_with_a_way_out(tmp_path: Path, header: bytes, said: str) -> None:
    documents, (reject,) = read_bytes(tmp_path, header + b"a,b\n", "csv")
    assert (documents, reject.error.split(":")[0]) == ([], "wrong schema")
    assert said in reject.error


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@settings(max_examples=80)
@given(st.lists(st.tuples(CELLS.filter(bool), CELLS), max_size=6))
def test_what_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    written = io.StringIO(newline="")
    stdlib_csv.writer(written, quoting=stdlib_csv.QUOTE_ALL).writerows([("text", "n"), *rows])
    folder = tmp_path_factory.mktemp("csv")
    documents, rejects = read_bytes(folder, written.getvalue().encode(), "csv", encoding="utf-8")
    assert rejects == []
    assert [(each.text, each.meta["n"]) for each in documents] == rows


@settings(max_examples=80)
@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_rejects(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    for name in ("csv", "tsv", "arrow", "parquet"):
        _, rejects = read_bytes(folder, b"text,n\na,1\n" + data, name)
        assert not any("reader failed" in reject.error for reject in rejects)


# -- Arrow and Parquet ---------------------------------------------------------------------------


def arrow_bytes(table: pa.Table, layout: str) -> bytes:
    sink = io.BytesIO()
    new = pa.ipc.new_file if layout == "file" else pa.ipc.new_stream
    with new(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=300)
    return sink.getvalue()


@pytest.mark.parametrize("layout", ["file", "stream"])
def test_arrow_rows_by_a_mapping(tmp_path: Path, layout: str) -> None:
    table = pa.table(
        {"body": [f"row {i}" for i in range(1_000)], "n": range(1_000), "l": ["MIT"] * 1_000}
    )
    documents, rejects = read_bytes(
        tmp_path, arrow_bytes(table, layout), "arrow", text="body", license="l"
    )
    assert rejects == []
    assert [each.text for each in documents] == table["body"].to_pylist()
    assert [each.offset for each in documents] == list(range(1_000))
    assert (documents[7].license, documents[7].meta) == ("MIT", {"n": 7})


@pytest.mark.parametrize("name", ["arrow", "parquet"])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_texts_of_a_column_are_not_decoded_before_they_are_asked_for(
    tmp_path: Path, name: str, kind: pa.DataType
) -> None:
    texts = ["naïve", "", None, "日本語", "a"]
    table = pa.table({"text": pa.array(texts, kind), "n": range(5)})
    if name == "arrow":
        documents, rejects = read_bytes(tmp_path, arrow_bytes(table, "file"), name)
    else:
        pq.write_table(table, tmp_path / "data")
        documents, rejects = read(tmp_path / "data", name)
    assert [bytes(each.as_read) for each in documents] == [
        text.encode() for text in texts if text is not None
    ]
    assert [each.text for each in documents] == [text for text in texts if text is not None]
    assert [each.as_read for each in documents] == [each.text for each in documents]
    assert [each.meta for each in documents] == [{"n": n} for n in (0, 1, 3, 4)]
    assert (reasons(rejects), rejects[0].offset) == (["no text"], 2)


def test_one_column_can_be_the_text_and_the_title(tmp_path: Path) -> None:
    pq.write_table(pa.table({"title": ["naïve"], "text": ["other"]}), tmp_path / "data")
    (document,), _ = read(tmp_path / "data", "parquet", text="title")
    assert (document.text, document.title, document.meta) == ("naïve", "naïve", {"text": "other"})


@pytest.mark.parametrize("layout", ["file", "stream"])
def test_a_clipped_arrow_file(tmp_path: Path, layout: str) -> None:
    data = arrow_bytes(pa.table({"text": [f"row {i}" for i in range(1_000)]}), layout)
    documents, rejects = read_bytes(tmp_path, data[: len(data) * 3 // 4], "arrow")
    assert len(rejects) == 1
    assert reasons(rejects) == (["not arrow"] if layout == "file" else ["damaged arrow"])
    assert len(documents) == (0 if layout == "file" else 600)


def test_offsets_that_lie_are_a_reject_and_no_crash(tmp_path: Path) -> None:
    table = pa.table({"text": ["one", "two", "three"]})
    data = arrow_bytes(table, "stream")
    honest = b"".join(n.to_bytes(4, "little") for n in (0, 3, 6, 11))
    assert data.count(honest) == 1
    lying = honest[:8] + (1 << 30).to_bytes(4, "little") + honest[12:]
    documents, rejects = read_bytes(tmp_path, data.replace(honest, lying), "arrow")
    assert [each.text for each in documents] == ["one"]
    assert reasons(rejects) == ["damaged row", "damaged row"]


def test_bytes_that_are_not_utf8_cost_their_row(tmp_path: Path) -> None:
    strings = pa.array([b"one", b"\xff\xfe", b"two"]).view(pa.string())
    documents, rejects = read_bytes(
        tmp_path, arrow_bytes(pa.table({"text": strings}), "file"), "arrow"
    )
    assert ([each.text for each in documents], len(rejects)) == (["one", "two"], 1)


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_a_wrong_schema_is_one_clear_error(tmp_path: Path, name: str) -> None:
    table = pa.table({"body": ["a"] * 1_000, "n": range(1_000)})
    path = tmp_path / "a"
    if name == "parquet":
        pq.write_table(table, path)
    else:
        path.write_bytes(arrow_bytes(table, "file"))
    documents, (reject,) = read(path, name)
    assert documents == []
    assert reject.error == (
        "wrong schema: a has no column text; its columns are body, n. "
        "Try: name the column: options: {text: ...}"
    )


def test_a_field_inside_of_a_column(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [{"b": "deep"}, {"b": None}]}), tmp_path / "a")
    documents, rejects = read(tmp_path / "a", "parquet", text="a.b")
    assert ([each.text for each in documents], reasons(rejects)) == (["deep"], ["no text"])


def test_rows_of_any_size_are_held_a_few_at_a_time(tmp_path: Path) -> None:
    table = pa.table({"text": ["x" * (1 << 20)] * 12 + ["y"] * 5_000})
    pq.write_table(table, tmp_path / "a", row_group_size=len(table))
    documents, _ = read(tmp_path / "a", "parquet")
    assert [len(each.text) for each in documents] == [1 << 20] * 12 + [1] * 5_000
    assert [each.offset for each in documents] == list(range(len(table)))


@pytest.mark.parametrize("name", ["parquet", "the_stack", "github_code"])
def test_parts_of_a_file_are_the_whole(tmp_path: Path, name: str) -> None:
    column = "text" if name == "parquet" else "content"
    pq.write_table(
        pa.table({column: [f"row {i}" for i in range(1_000)]}), tmp_path / "a", row_group_size=100
    )
    (file,) = list_files(["a"], base=tmp_path)
    cuts = split_offsets(name, file, {}, file.size // 4)
    assert len(cuts) >= 3
    parts = [
        SourceFile(file.uri, file.path, file.size, "", start, stop)
        for start, stop in zip([0, *cuts], [*cuts, None], strict=True)
    ]
    read_in_parts = [each for part in parts for each in read_documents(name, part, {})]
    assert read_in_parts == list(read_documents(name, file, {}))
