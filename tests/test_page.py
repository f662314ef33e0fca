"""The board page on the real server, in a real browser."""

import gzip
import re
from contextlib import asynccontextmanager

import httpx2
import pytest
from playwright.async_api import async_playwright, expect

from server import POLICY
from tests.conftest import ROOT
from tests.test_explorer import ARGUMENTS, CHROMIUM
from tests.test_graphiql import link_to

expect.set_options(timeout=30_000)  # a browser on two busy cores takes its time
browses = [
    pytest.mark.skipif(not CHROMIUM, reason="needs chromium: apt-get install chromium"),
    pytest.mark.slow("a browser with two windows"),
    pytest.mark.parametrize("kind", ["sqlite"]),  # the page does not know which
]
MAX_SCRIPT_BYTES = 150_000  # of all scripts, compressed
CARD = "query Card($id: ID!) { card(id: $id) { stage column { name } } }"
MOVE = """mutation Move($id: ID!, $to: Stage!) {
  moveCard(input: {id: $id, destination: {stage: $to}}) { __typename } }"""


def browsing(test):
    for mark in reversed(browses):
        test = mark(test)
    return test


@asynccontextmanager
async def windows(process, **options):
    """A browser that is signed in as the owner: a function that opens a window. No window may complain."""
    said = []
    async with async_playwright() as playwright:
        program = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        browser = await program.new_context(viewport={"width": 2000, "height": 900}, **options)
        link = (await link_to(process)).replace("/graphql#", "/#")

        async def opened(address=""):
            page = await browser.new_page()
            page.on("console", lambda it: said.append(it.text) if it.type == "error" else None)
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("request", lambda it: said.append(it.url) if not it.url.startswith(origin) else None)
            await page.goto(address or origin)
            await expect(page.locator(".live")).to_have_text("Live")
            return page

        origin = process.http.removesuffix("graphql")
        first = await opened(link)
        assert first.url.startswith(f"{origin}#/boards/"), "the token is gone from the address"
        yield opened, first, said
        await program.close()
    assert said == []


def card(page, title):
    return page.locator("[data-card]", has_text=title)


def column(page, name):
    return page.locator("[data-column]", has=page.get_by_role("heading", name=name, exact=True))


async def test_a_browser_gets_the_board_and_others_the_address_of_the_api(run, fresh):
    async with run(await fresh()) as app:
        page = await app.client.get("/", headers={"accept": "text/html"})
        assert page.status_code == 200
        assert '<div id="page">' in page.text
        assert page.headers["content-security-policy"] == POLICY
        for headers in ({"accept": "application/json"}, {"accept": "*/*"}):
            other = await app.client.get("/", headers=headers, follow_redirects=False)
            assert (other.status_code, other.headers["location"]) == (307, "graphql")
        [script] = re.findall(r'src="(page/assets/[^"]+\.js)"', page.text)
        asset = await app.client.get(f"/{script}", headers={"accept-encoding": "gzip"})
        assert asset.headers["cache-control"].endswith("immutable")
        assert asset.headers["content-encoding"] == "gzip"


async def test_the_page_can_be_switched_off(run, fresh):
    async with run(await fresh(), board_page=False) as app:
        page = await app.client.get("/", headers={"accept": "text/html"}, follow_redirects=False)
        assert (page.status_code, page.headers["location"]) == (307, "graphql")


def test_its_scripts_are_small():
    scripts = list((ROOT / "page" / "dist" / "assets").glob("*.js"))
    assert 0 < sum(len(gzip.compress(script.read_bytes())) for script in scripts) <= MAX_SCRIPT_BYTES


@browsing
async def test_two_windows_show_what_one_of_them_and_others_change(serve, fresh, run):
    url = await fresh()
    async with run(url) as app:
        _, [id, _] = await app.has_board("Paint the signal", "Oil the points")
        token = app.tokens[""]
    process = await serve(url)
    async with (
        windows(process) as (opened, page, _),
        httpx2.AsyncClient(headers={"authorization": token}) as api,
    ):

        async def asks(query, **variables):
            answer = await api.post(process.http, json={"query": query, "variables": variables})
            return answer.json()["data"]

        other = await opened(page.url)
        await expect(card(other, "Paint the signal")).to_be_visible()
        await asks(MOVE, id=id, to="TODO")  # somebody else does
        for each in (page, other):
            await expect(column(each, "To do").locator("[data-card]")).to_contain_text("Paint the signal")

        # By mouse, and the columns that are not allowed say why.
        await card(page, "Oil the points").hover()
        await page.mouse.down()
        target = await column(page, "Done").bounding_box()
        await page.mouse.move(target["x"] + 80, target["y"] + 200, steps=5)
        await expect(page.locator(".column.is-forbidden", has_text="Done")).to_be_visible()
        await page.mouse.up()
        await expect(page.locator(".toast-refused")).to_contain_text("stays in Backlog")
        await expect(column(page, "Backlog").locator("[data-card]")).to_contain_text("Oil the points")

        await card(page, "Oil the points").hover()
        await page.mouse.down()
        target = await column(page, "Plan").bounding_box()
        await page.mouse.move(target["x"] + 80, target["y"] + 200, steps=5)
        await page.mouse.up()
        for each in (page, other):
            await expect(column(each, "Plan").locator("[data-card]")).to_contain_text("Oil the points")

        # By keyboard.
        await card(other, "Paint the signal").locator("a").focus()
        for key in ("Space", "ArrowRight", "Space"):
            await other.keyboard.press(key)
        for each in (page, other):
            await expect(column(each, "In progress").locator("[data-card]")).to_contain_text(
                "Paint the signal"
            )
        assert (await asks(CARD, id=id))["card"]["stage"] == "IN_PROGRESS"
