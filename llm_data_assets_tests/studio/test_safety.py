"""What the studio refuses, hides and cannot do."""

import socket

import pytest
from starlette.testclient import TestClient

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import connect, publish
from llm_data_assets.stages.materialise import ALL_TABLES
from llm_data_assets.stages.publication import refresh_catalog
from llm_data_assets.studio.app import make_app
from llm_data_assets.studio.reader import Reader
from llm_data_assets.studio.serve import serve
from llm_data_assets.studio.sql_box import MOST_ROWS, ask
from llm_data_assets_tests.studio.conftest import MAIL


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "192.168.0.7:8765"])
def test_another_name_than_loopbacks_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:1", "localhost", "[::1]:8765"])
def test_this_machine_is_answered(client: TestClient, host: str) -> None:
    assert client.get("/static/studio.css", headers={"host": host}).status_code == 200


def test_a_request_made_by_another_site_is_refused(client: TestClient) -> None:
    made = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert client.get("/sql?q=SELECT 1", headers=made).status_code == 403


def test_pages_may_load_nothing_from_elsewhere(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy


def test_text_is_escaped_and_personal_data_masked(client: TestClient) -> None:
    page = client.get("/doc", params={"id": "first/hostile"}).text
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page
    assert MAIL not in page and "&lt;email&gt;" in page


def test_revealing_is_a_choice_of_who_starts_it(home: Workspace) -> None:
    open_client = TestClient(make_app(home, reveal=True), base_url="http://127.0.0.1")
    assert MAIL in open_client.get("/doc", params={"id": "first/hostile"}).text
    assert "Personal data is shown" in open_client.get("/").text


def test_no_address_reveals(client: TestClient) -> None:
    assert MAIL not in client.get("/doc", params={"id": "first/hostile", "reveal": "1"}).text


@pytest.mark.parametrize("value", ["' OR 1=1 --", "x'; DROP TABLE t; --", "<b>"])
def test_a_query_of_the_address_stays_a_value(client: TestClient, value: str) -> None:
    for path in ("/", "/checks", "/duplicates", "/doc", "/filters"):
        names = {"source": value, "id": value, "asset": value, "kept": value, "removed": value,
                 "stage": value, "reason": value, "recipe": value, "measure": value}  # fmt: skip
        page = client.get(path, params=names)
        assert page.status_code == 200


def test_one_select_is_answered(reader: Reader) -> None:
    answer = ask(reader, "SELECT count(*) AS n FROM raw_corpus; ")
    assert (answer.columns, answer.rows, answer.error) == (["n"], [(18,)], "")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "CREATE TABLE t (x INTEGER)",
        "COPY (SELECT 1) TO '{home}/lake/x.csv'",
        "ATTACH '{home}/x.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
        "SELECT * FROM read_parquet('{home}/catalog.duckdb')",
        "SELECT * FROM read_parquet('{home}/lake/raw_corpus/*/*.parquet')",
        "FROM '{home}/lake/raw_corpus/*/*.parquet'",
        'FROM "{home}/lake/x"."y"."parquet"',
        "DESCRIBE SELECT * FROM parquet_metadata('{home}/lake/raw_corpus/*/*.parquet')",
        "SELECT 1 ORDER BY (SELECT count(*) FROM query('FROM raw_corpus'))",
        "SELECT getvariable('x'); SET VARIABLE llm_data_roles = ['legal']",
        "not sql at all",
        "",
    ],
)
def test_anything_else_is_refused(reader: Reader, sql: str) -> None:
    answer = ask(reader, sql.format(home=reader.workspace.home))
    assert answer.error and "Try: SELECT" in answer.error and answer.rows == []
    assert not (reader.workspace.home / "lake" / "x.csv").exists()


def test_the_box_masks_whatever_a_column_is_called(reader: Reader) -> None:
    sql = "SELECT text AS source FROM raw_corpus WHERE doc_id = 'first/hostile'"
    assert MAIL not in str(ask(reader, sql).rows)


def test_rows_are_limited(reader: Reader) -> None:
    answer = ask(reader, "SELECT * FROM range(5000)")
    assert len(answer.rows) == MOST_ROWS and answer.cut


def test_a_query_without_end_is_stopped(reader: Reader) -> None:
    answer = ask(
        reader, "SELECT sum(a.range * b.range) FROM range(1e7::BIGINT) a, range(1e7::BIGINT) b",
        seconds=0.2,
    )  # fmt: skip
    assert "stopped after 0.2 s" in answer.error


def test_a_port_in_use_is_said_with_a_way_out(home: Workspace) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"in use.*Try: {port + 1}"):
            serve(home, port, False)


def test_a_catalog_older_than_a_model_is_published_again(home: Workspace) -> None:
    publish(home.home, ALL_TABLES, {"funnel": "SELECT 1 AS docs"})
    refresh_catalog(home)
    with connect(home.home) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM survival").fetchall() == [(True,)]
