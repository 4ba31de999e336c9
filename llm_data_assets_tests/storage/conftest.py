"""An S3 server on loopback (moto), which can be told to be slow, busy, broken or forgetful."""

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import fsspec
import pytest

pytest.importorskip("s3fs", reason="s3fs and moto (extra `dev`) are needed for tests on S3")
pytest.importorskip("moto", reason="s3fs and moto (extra `dev`) are needed for tests on S3")

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

Environ = dict[str, Any]
KEY = "test-key"


@dataclass
class Store:
    """The server: its address, what it was asked, and what is to go wrong.

    A trouble is asked for each request, and answers it (status, body), or None to let it pass.
    """

    address: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    troubles: list[Callable[[Environ], tuple[str, bytes] | None]] = field(default_factory=list)

    def busy(self, times: int, method: str = "", status: str = "503 Slow Down") -> None:
        """Refuse the next requests, of one method or of any."""
        left = [times]

        def trouble(environ: Environ) -> tuple[str, bytes] | None:
            if left[0] <= 0 or method not in ("", environ["REQUEST_METHOD"]):
                return None
            left[0] -= 1
            code = "SlowDown" if status.startswith("503") else "InternalError"
            return status, f"<Error><Code>{code}</Code><Message>told to</Message></Error>".encode()

        self.troubles.append(trouble)

    def slow(self, times: int, seconds: float) -> None:
        """Answer the next requests late."""
        left = [times]

        def trouble(environ: Environ) -> None:
            if left[0] > 0:
                left[0] -= 1
                time.sleep(seconds)

        self.troubles.append(trouble)

    def denied(self, code: str, when: Callable[[Environ], bool] = lambda environ: True) -> None:
        """Refuse the credentials."""

        def trouble(environ: Environ) -> tuple[str, bytes] | None:
            if not when(environ):
                return None
            said = f"<Error><Code>{code}</Code><Message>told to</Message></Error>"
            return "403 Forbidden", said.encode()

        self.troubles.append(trouble)


class _Application:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        self._store.asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        for trouble in list(self._store.troubles):
            if (refused := trouble(environ)) is not None:
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                start(refused[0], [("Content-Type", "application/xml")])
                return [refused[1] if environ["REQUEST_METHOD"] != "HEAD" else b""]
        return self._moto(environ, start)


@pytest.fixture(scope="session")
def server() -> Iterator[Store]:
    store = Store()
    http = make_server("127.0.0.1", 0, _Application(store), threaded=True)
    http.daemon_threads = True
    store.address = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield store
    http.shutdown()


@pytest.fixture
def store(server: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The server, without troubles, named by the environment as any store is."""
    for name, value in {
        "AWS_ENDPOINT_URL": server.address,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": "test-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    fsspec.filesystem("s3").clear_instance_cache()
    server.troubles.clear()
    server.asked.clear()
    yield server
    server.troubles.clear()


@pytest.fixture
def bucket(store: Store) -> str:
    """A new, empty bucket."""
    name = f"b-{uuid.uuid4().hex[:12]}"
    fsspec.filesystem("s3").mkdir(name)
    store.asked.clear()
    return name
