"""GraphiQL on the real server, in a real browser: two windows, one board."""

import re
import time

import pytest
from playwright.async_api import async_playwright, expect

from kit.eventlog.event_log import make_event_log
from kit.settings import load
from tests.conftest import KEY, PASSWORD, link_of
from tests.test_explorer import ARGUMENTS, CHROMIUM

expect.set_options(timeout=30_000)  # a browser on two busy cores takes its time
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="needs chromium: apt-get install chromium"),
    pytest.mark.slow("a browser with two windows"),
]


async def open_tab(browser, origin, tab):
    page = await browser.new_page()
    told = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    await page.goto(origin)
    editor = page.locator(".graphiql-query-editor .view-lines")
    await page.locator(".graphiql-tab-button", has_text=tab).click()
    await expect(editor).to_contain_text(re.compile(rf"(mutation|subscription)\s+{tab}"))
    await expect(
        page.locator(".graphiql-tab-active, .graphiql-tab[aria-selected=true]").first
    ).to_contain_text(tab)
    return page, told


async def execute(page):
    await page.get_by_role("button", name="Execute query").click()
    return page.locator(".result-window .view-lines")


async def link_to(process):
    feed = make_event_log(load(database_url=process.database_url, secret_key=KEY))
    token = await link_of(feed)
    await feed.database.close()
    return f"{process.http}#token={token}"


async def signs_in(context, process, link):
    """Open a link: the token is gone from the address at once, and the page says who is signed in."""
    page = await context.new_page()
    await page.goto(link)
    await expect(page.locator(".session")).to_contain_text("Signed in as owner")
    assert page.url == process.http
    assert await page.evaluate("history.length") <= 2, "the token is in no entry of the history"
    await is_ready(page)
    return page


async def is_ready(page):
    """The editor has its text: what is clicked before is not run."""
    editor = page.locator(".graphiql-query-editor .view-lines")
    await expect(editor).to_contain_text(re.compile(r"query\s+Welcome"))


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_the_printed_link_signs_in_and_out(serve):
    process = await serve(
        ACCESS_MINUTES="1.02"
    )  # spent after a second: the page refreshes it a minute before
    link = await link_to(process)
    async with async_playwright() as playwright:
        program = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        browser = await program.new_context(viewport={"width": 1400, "height": 900})
        page = await signs_in(browser, process, link)
        asked = []
        page.on("request", lambda it: asked.append(it.post_data or ""))
        deadline = time.monotonic() + 60
        while not any("refreshSession" in one for one in asked):
            assert time.monotonic() < deadline, "the access token is refreshed before it ends"
            await expect(await execute(page)).to_contain_text("boards")
        assert not any("boards" in one and "redeem" in one for one in asked)
        await page.reload()
        await expect(page.locator(".session")).to_contain_text("Signed in as owner")
        await is_ready(page)
        await expect(await execute(page)).to_contain_text("boards")

        other = await browser.new_page()  # another window of the same browser
        await other.goto(process.http)
        await expect(other.locator(".session")).to_contain_text("Signed in as owner")
        await page.get_by_role("button", name="Sign out").click()
        for each in (page, other):
            await expect(each.locator(".session")).to_contain_text("python server.py link")
        await expect(await execute(page)).to_contain_text("UNAUTHENTICATED")
        assert await page.evaluate("localStorage.getItem('signalbox:session')") is None

        await page.goto("about:blank")
        await page.goto(link)
        await expect(page.locator(".session")).to_contain_text("This link was used before")
        assert page.url == process.http
        await program.close()


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_the_page_signs_in_with_a_password_too(serve, fresh, run):
    url = await fresh()
    async with run(url) as app:
        await app.has_user("ann")
    process = await serve(url)
    async with async_playwright() as playwright:
        program = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await program.new_page(viewport={"width": 1400, "height": 900})
        await page.goto(process.http)
        for password, said in (
            ("not hers", "The username or the password is wrong"),
            (PASSWORD, "Signed in as ann"),
        ):
            await page.get_by_placeholder("Username").fill("ann")
            await page.get_by_placeholder("Password").fill(password)
            await page.get_by_role("button", name="Sign in").click()
            await expect(page.locator(".session")).to_contain_text(said)
        await program.close()


@pytest.mark.parametrize("kind", ["sqlite"])  # the page does not know which
async def test_what_one_window_changes_the_other_shows(serve, fresh, run):
    url = await fresh()
    async with run(url) as app:
        _, [card] = await app.has_board("Paint the signal")
        move = """mutation($id: ID!, $to: Stage!) {
          moveCard(input: {id: $id, destination: {stage: $to}}) { __typename } }"""
        for stage in ("TODO", "IN_PROGRESS", "REVIEW"):
            assert await app.data(move, id=card, to=stage) == {"__typename": "Card"}
    process = await serve(url)
    async with async_playwright() as playwright:
        program = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        browser = await program.new_context(viewport={"width": 1400, "height": 900})
        await signs_in(browser, process, await link_to(process))
        watch, told_there = await open_tab(browser, process.http, "Watch")
        shown = await execute(watch)
        await expect(shown).to_contain_text("REVIEW")  # the history, replayed from "0"
        move, told_here = await open_tab(browser, process.http, "MoveCard")
        await expect(await execute(move)).to_contain_text("DONE")
        await expect(shown).to_contain_text("DONE")
        await expect(await execute(move)).to_contain_text("DONE")  # the same stage is reordering
        assert told_here == told_there == []
        await program.close()
