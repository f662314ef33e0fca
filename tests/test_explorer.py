"""The page a browser gets at /graphql, driven in a real browser: it asks only its own server."""

import json
import re
import shutil
import socket
import threading
from asyncio import sleep
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import graphql
import pytest
import strawberry
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright
from playwright.sync_api import Route as Held
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError

pytestmark = pytest.mark.processes

EXPLORER = Path(__file__).parents[1] / "explorer"
EXAMPLES = sorted((EXPLORER / "examples").glob("*.graphql"))
CHROMIUM = shutil.which("chromium") or ""
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'self'"
)
expect.set_options(timeout=30_000)  # a browser on two busy cores takes its time
browses = pytest.mark.skipif(not CHROMIUM, reason="needs chromium: apt-get install chromium")


@strawberry.type
class Query:
    @strawberry.field
    def greeting(self, info: strawberry.Info, name: str, password: str | None = None) -> str:
        header = info.context["request"].headers.get("graphql-require-preflight")
        return f"Hello {name}, preflight {header}"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncIterator[int]:
        for number in range(1, to + 1):
            yield number
            await sleep(0.01)
        await sleep(3600)  # open until the page stops it

    @strawberry.subscription
    async def token(self, info: strawberry.Info) -> AsyncIterator[str]:
        yield f"token is {(info.context['connection_params'] or {}).get('authorization')}"


class Api(GraphQL):
    async def on_ws_connect(self, context: Any) -> Any:
        if (context["connection_params"] or {}).get("authorization") == "Bearer wrong":
            raise ConnectionRejectionError
        return await super().on_ws_connect(context)


TABS: list[dict[str, Any]] = [
    {"name": "empty", "query": "query Start { __typename }", "variables": None},
    {
        "name": "greeting",
        "query": "query Greeting($name: String!, $password: String) {\n"
        "  greeting(name: $name, password: $password)\n}",
        "variables": {"name": "Ann", "password": "hunter2"},
    },
    {"name": "count", "query": "subscription Count { count(to: 30) }", "variables": None},
    {"name": "token", "query": "subscription Token { token }", "variables": None},
]


def toy(examples: list[dict[str, Any]]) -> Starlette:
    api = Api(strawberry.Schema(Query, subscription=Subscription))

    async def page(request: Request) -> FileResponse:
        headers = {"content-security-policy": POLICY, "cache-control": "no-store"}
        return FileResponse(EXPLORER / "dist" / "index.html", headers=headers)

    async def listed(request: Request) -> JSONResponse:
        return JSONResponse(examples)

    return Starlette(
        routes=[
            Route("/graphql", page, methods=["GET"]),
            Route("/graphql", api, methods=["POST"]),
            WebSocketRoute("/graphql", api),
            Route("/explorer/examples.json", listed),
            Mount("/explorer/assets", StaticFiles(directory=EXPLORER / "dist" / "assets")),
        ]
    )


@contextmanager
def serving(app: Any) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.force_exit = server.should_exit = True
            thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def visiting(browser: Browser, origin: str, path: str = "/graphql") -> Iterator[Page]:
    """A first visit, that fails if the page asked anybody else or complained in the console."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, color_scheme="light")
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []

    def read(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("request", lambda it: asked.append(it.url))
    page.on("console", read)
    page.on("pageerror", lambda it: complaints.append(str(it)))
    page.goto(origin + path)
    expect(query(page)).to_be_visible()
    yield page
    context.close()
    assert [url for url in asked if not url.startswith((origin, "data:", "blob:"))] == []
    assert complaints == []


def turn_to(page: Page, tab: str) -> None:
    page.locator(".graphiql-tab-button", has_text=tab).click()


def run(page: Page) -> None:
    page.get_by_role("button", name="Execute query").click()


def query(page: Page) -> Locator:
    return page.locator(".graphiql-query-editor .view-lines")


def answer(page: Page) -> Locator:
    return page.locator(".result-window .view-lines")


def tools(page: Page) -> Locator:
    return page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines")


def type_header(page: Page, value: str) -> None:
    page.get_by_role("button", name="Headers").click()
    tools(page).click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")  # typing over a selection would only put brackets around it
    page.keyboard.insert_text(json.dumps({"Authorization": value}))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_example_is_one_named_operation_and_its_variables(file: Path) -> None:
    [operation] = graphql.parse(file.read_text()).definitions
    assert isinstance(operation, graphql.OperationDefinitionNode)
    assert operation.name
    given = file.with_suffix(".json")
    variables = json.loads(given.read_text()) if given.exists() else {}
    declared = operation.variable_definitions or ()
    assert variables.keys() <= {it.variable.name.value for it in declared}


@browses
@pytest.mark.parametrize("prefix", ["", "/behind/a/proxy"])
def test_the_page_opens_with_the_examples_under_any_prefix(browser: Browser, prefix: str) -> None:
    app = Starlette(routes=[Mount(prefix, toy(TABS))])
    with serving(app) as origin, visiting(browser, origin, f"{prefix}/graphql") as page:
        expect(page).to_have_title("Signalbox")
        expect(page.locator(".graphiql-logo")).to_have_text("Signalbox")
        tabs = page.locator(".graphiql-tab-button")
        expect(tabs).to_have_text(["Start", "Greeting", "Count", "Token"])
        turn_to(page, "Greeting")
        run(page)
        expect(answer(page)).to_contain_text("Hello Ann, preflight 1")
        page.get_by_role("button", name="Show GraphiQL Explorer").click()
        expect(page.locator(".graphiql-explorer-root")).to_contain_text("greeting")


@browses
def test_a_tab_turned_to_before_the_editors_have_loaded_shows_its_own_text(browser: Browser) -> None:
    held: list[Held] = []
    with serving(toy(TABS)) as origin:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.route(
            "**/editor.api-*.js", lambda route: held.append(route)
        )  # most of the editor, on a slow line
        page.goto(origin + "/graphql")
        turn_to(page, "Greeting")
        expect(page.locator(".graphiql-tab-active")).to_contain_text("Greeting")
        assert query(page).count() == 0
        [part] = held
        part.continue_()
        expect(query(page)).to_contain_text(re.compile(r"query\s+Greeting"))
        run(page)
        expect(answer(page)).to_contain_text("Hello Ann, preflight 1")
        turn_to(page, "Start")
        expect(query(page)).to_contain_text(re.compile(r"query\s+Start"))
        page.close()


@browses
def test_a_tab_that_was_just_turned_to_is_what_is_run(browser: Browser) -> None:
    """What GraphiQL knows of the text is a tenth of a second old: a fast hand is faster."""
    click = """tab => { [...document.querySelectorAll(".graphiql-tab-button")].find(
      it => it.textContent === tab).click(); document.querySelector(".graphiql-execute-button").click(); }"""
    with serving(toy(TABS)) as origin, visiting(browser, origin) as page:
        expect(query(page)).to_contain_text(re.compile(r"query\s+Start"))
        page.evaluate(click, "Token")
        expect(answer(page)).to_contain_text("token is None")
        page.evaluate(click, "Greeting")
        expect(answer(page)).to_contain_text("Hello Ann, preflight 1")


@browses
def test_a_page_without_examples_has_an_empty_tab(browser: Browser) -> None:
    with serving(toy([])) as origin, visiting(browser, origin) as page:
        expect(query(page)).to_have_text("")


@browses
def test_a_subscription_streams_until_it_is_stopped(browser: Browser) -> None:
    with serving(toy(TABS)) as origin, visiting(browser, origin) as page:
        turn_to(page, "Count")
        with page.expect_websocket() as opened:
            run(page)
        expect(answer(page)).to_contain_text(re.compile(r'"count":\s*30'))
        with opened.value.expect_event("close"):
            page.get_by_role("button", name="Stop query").click()
        expect(page.get_by_role("button", name="Execute query")).to_be_visible()


@browses
def test_the_socket_speaks_with_the_token_of_the_headers_pane(browser: Browser) -> None:
    with serving(toy(TABS)) as origin, visiting(browser, origin) as page:
        turn_to(page, "Token")
        run(page)
        expect(answer(page)).to_contain_text("token is None")
        for token in ("Bearer first", "Bearer second"):
            type_header(page, token)
            run(page)
            expect(answer(page)).to_contain_text(f"token is {token}")
        type_header(page, "Bearer wrong")
        run(page)
        expect(answer(page)).to_contain_text("The server closed the socket: 4403 Forbidden")


@browses
def test_prettify_lays_out_the_headers_and_the_operation(browser: Browser) -> None:
    with serving(toy(TABS)) as origin, visiting(browser, origin) as page:
        type_header(page, "Bearer short")
        page.get_by_role("button", name="Prettify").click()
        expect(tools(page).locator(".view-line")).to_have_count(3)
        expect(query(page).locator(".view-line")).to_have_count(4)  # the last one is empty


@browses
def test_no_secret_reaches_local_storage(browser: Browser) -> None:
    with serving(toy(TABS)) as origin, visiting(browser, origin) as page:
        turn_to(page, "Greeting")
        type_header(page, "Bearer secret")
        run(page)
        expect(answer(page)).to_contain_text("Hello Ann")
        page.reload()
        expect(query(page)).to_contain_text("Greeting")
        kept = page.evaluate("JSON.stringify(localStorage)")
        assert "Greeting" in kept
        assert "Ann" in kept
        assert "hunter2" not in kept
        assert "Bearer" not in kept
