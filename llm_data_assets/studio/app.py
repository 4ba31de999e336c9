"""The studio's server: loopback only, nothing loaded from elsewhere, nothing written."""

import csv
import io
import re
from importlib import resources
from typing import Any

import duckdb
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.studio.reader import Reader
from llm_data_assets.studio.screens import SCREENS, Screen
from llm_data_assets.studio.shown import address, cell, compact

_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class OnlyHere:
    """Refuses names other than loopback's (DNS rebinding) and requests made by other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told = [
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in scope["headers"]
        ]
        hosts, headers = [value for name, value in told if name == "host"], dict(told)
        foreign = headers.get("sec-fetch-site") == "cross-site" and (
            headers.get("sec-fetch-mode") != "navigate"
        )
        if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]) or foreign:
            refusal = PlainTextResponse(
                "The studio answers to this machine alone. Try: http://127.0.0.1\n", 403
            )
            await refusal(scope, receive, send)
            return

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    *((key.encode(), value.encode()) for key, value in _HEADERS.items()),
                ]
            await send(message)

        await self.app(scope, receive, with_headers)


def make_app(workspace: Workspace, *, reveal: bool = False) -> Starlette:
    """The studio of a workspace.

    Args:
        workspace: whose tables are shown; they may change while the studio runs.
        reveal: show personal data as it stands in the texts.
    """
    reader = Reader(workspace, reveal=reveal)
    templates = environment()
    return Starlette(
        routes=[
            *(Route(each.path, _endpoint(each, reader, templates)) for each in SCREENS),
            Route("/csv/{screen}/{panel}", _csv(reader)),
            Mount("/static", StaticFiles(packages=[("llm_data_assets.studio", "static")])),
        ],
        middleware=[Middleware(OnlyHere)],
    )


def environment() -> Environment:
    """The templates: everything escaped, a missing name an error."""
    made = Environment(
        loader=PackageLoader("llm_data_assets.studio"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"cell": cell, "compact": compact}
    made.globals |= {
        "address": address,
        "screens": SCREENS,
        "paths": {s.name: s.path for s in SCREENS},
    }
    return made


def static_text(name: str) -> str:
    """A file of `static/`, for the one-file report."""
    return (resources.files("llm_data_assets.studio") / "static" / name).read_text("utf-8")


def _endpoint(screen: Screen, reader: Reader, templates: Environment) -> Any:
    def show(request: Request) -> Response:
        query = dict(request.query_params)
        try:
            values, template = screen.page(reader, query), "studio.html"
            values["panel"] = {panel.name: panel for panel in values["panels"]}
        except (FileNotFoundError, ConfigError) as error:
            values, template = {"problem": str(error)}, "problem.html"
        except duckdb.CatalogException as error:
            missing = str(error).partition("\n")[0]
            problem = f"{missing} The tables were published by another version. Try: llm-data run"
            values, template = {"problem": problem}, "problem.html"
        except duckdb.Error as error:
            problem = f"{error} Try: a narrower question, or the same in `llm-data query`"
            values, template = {"problem": problem}, "problem.html"
        page = templates.get_template(template).render(
            screen=screen, query=query, static=False, reveal=reader.reveal,
            home=reader.workspace.home, **values,
        )  # fmt: skip
        return HTMLResponse(page, background=BackgroundTask(reader.lab.count_ahead))

    return show


def _csv(reader: Reader) -> Any:
    def download(request: Request) -> Response:
        asked = request.path_params
        screen = next((each for each in SCREENS if each.name == asked["screen"]), None)
        panels = screen.page(reader, dict(request.query_params))["panels"] if screen else []
        panel = next((each for each in panels if each.name == asked["panel"]), None)
        if panel is None:
            return PlainTextResponse("There is no such panel. Try: /\n", 404)
        written = io.StringIO()
        writer = csv.writer(written)
        writer.writerow(panel.rows[0] if panel.rows else [])
        writer.writerows([_plain(value) for value in row.values()] for row in panel.rows)
        return Response(
            written.getvalue(),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{panel.name}.csv"'},
        )

    return download


def _plain(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
