"""A client of any server that speaks OpenAI's chat completions, over the standard library."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any, Protocol

_TRIES = 3
_BLOCK = 1 << 16
_TRY_AGAIN = (429, 500, 502, 503, 504)


class ModelError(RuntimeError):
    """The model gave no answer; the message says why and what to try."""


class Client(Protocol):
    """What a generator needs of a model."""

    @property
    def model(self) -> str: ...

    def complete(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The model's answer.

        Raises:
            ModelError: there is none.
        """
        ...


@dataclass(frozen=True)
class HttpClient:
    """Posts to `<url>/chat/completions`; only the url that was given is ever opened.

    `settings` go into every request (temperature, max_tokens, seed). A server that is busy is asked
    three times; one that is silent for `timeout` seconds, or has not ended by then, is given up.
    """

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 60.0
    pause: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def complete(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The model's answer to some messages."""
        if not self.url.startswith(("http://", "https://")):
            raise ModelError(f"{self.url!r} is no http address. Try: http://localhost:8000/v1")
        body = {"model": self.model, "messages": list(messages), **self.settings}
        request = urllib.request.Request(
            f"{self.url.rstrip('/')}/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json",
             **({"Authorization": f"Bearer {self.key}"} if self.key else {})},
        )  # fmt: skip
        silent = ModelError(
            f"{self.url} gave no whole answer in {self.timeout:g} s. Try: a longer --timeout"
        )
        for left in reversed(range(_TRIES)):
            try:
                started = time.monotonic()
                with urllib.request.urlopen(request, timeout=self.timeout) as response:
                    return _answer(_whole(response, started + self.timeout), self.url)
            except urllib.error.HTTPError as error:
                with error:
                    said = error.read(200).decode("utf-8", "replace")
                if error.code not in _TRY_AGAIN or not left:
                    raise ModelError(
                        f"{self.url} answers {error.code}: {said}. "
                        "Try: look at the server's log, and at the model's name"
                    ) from None
            except TimeoutError:
                raise silent from None
            except (urllib.error.URLError, OSError) as error:
                reason = getattr(error, "reason", error)
                if isinstance(reason, TimeoutError):
                    raise silent from None
                if not left:
                    raise ModelError(
                        f"{self.url} cannot be reached: {reason}. Try: start the server, or mend "
                        "the address"
                    ) from None
            time.sleep(self.pause)
        raise AssertionError("unreachable: the last try returns or raises")


def _whole(response: HTTPResponse, until: float) -> bytes:
    """The body. A socket's timeout is of each read alone: a server that sends a byte now and then
    would never meet it."""
    body = b""
    while part := response.read1(_BLOCK):
        body += part
        if time.monotonic() > until:
            raise TimeoutError
    return body


def _answer(body: bytes, url: str) -> str:
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        content = None
    if not isinstance(content, str) or not content.strip():
        raise ModelError(
            f"{url} answers without a text: {body[:80]!r}. Try: a server of chat completions"
        )
    return content
