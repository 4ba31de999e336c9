"""Requests meant to reach the studio from elsewhere, or to reach more than its pages."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.studio.app import make_app
from llm_data_assets_tests.conftest import write_workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A home in which nothing was run: what is refused is refused before that is looked at."""
    folder = tmp_path_factory.mktemp("requests")
    return write_workspace(folder, {"web": [{"id": "1", "text": "a"}]})


@pytest.fixture(scope="module")
def client(workspace: Workspace) -> TestClient:
    return TestClient(make_app(workspace), base_url="http://127.0.0.1")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "evil.example:127.0.0.1",
     "127.0.0.1:evil.example", "localhost.evil.example:80", "localhost.", "0.0.0.0", "2130706433",
     "127.1", "[::1].evil.example", "[::1]@evil.example", "[::ffff:127.0.0.1]", "127.0.0.1, evil",
     "127.0.0.1\tevil", "LOCALHOST/evil", " ", "evil.example\x00localhost"],
)  # fmt: skip
def test_a_host_that_only_looks_like_this_machine_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    "name", ["x-forwarded-host", "x-host", "forwarded", "x-original-url", "x-rewrite-url"]
)
def test_no_other_header_speaks_for_the_host(client: TestClient, name: str) -> None:
    told = {"host": "evil.example", name: "127.0.0.1"}
    assert client.get("/", headers=told).status_code == 403


def test_a_second_host_does_not_help(client: TestClient) -> None:
    for pair in (["evil.example", "127.0.0.1"], ["127.0.0.1", "evil.example"]):
        request = client.build_request("GET", "/", headers=[("host", each) for each in pair])
        assert client.send(request).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/sql", "/doc", "/csv/flow/river", "/static/studio.css"])
def test_no_method_writes(client: TestClient, method: str, path: str) -> None:
    assert client.request(method, path).status_code == 405


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py",
     "/static/%2e%2e%2f%2e%2e%2f", "/static//etc/passwd", "/static/..\\app.py", "/static/%00",
     "/csv/../../etc/passwd",
     "/csv/flow/..%2f..%2fcatalog.yaml", "/catalog.yaml", "/.git/config"],
)  # fmt: skip
def test_no_path_leads_to_a_file(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (400, 404) and "root:" not in answer.text


def test_what_is_asked_is_in_no_header_of_the_answer(client: TestClient) -> None:
    for value in ("a\r\nx-evil: 1", "a%0d%0ax-evil:%201", "\u010d\u010a"):
        for path in ("/", "/doc", "/sql", "/card"):
            answer = client.get(path, params={"id": value, "q": value, "recipe": value})
            assert "x-evil" not in answer.headers and answer.status_code == 200


def test_every_answer_carries_the_policy(client: TestClient) -> None:
    for path in ("/", "/nothing", "/static/studio.css", "/static/nothing", "/csv/a/b"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"


def test_a_refused_request_learns_nothing(client: TestClient, workspace: Workspace) -> None:
    answer = client.get("/", headers={"host": "evil.example"})
    assert str(workspace.home) not in answer.text and Path.home().name not in answer.text
