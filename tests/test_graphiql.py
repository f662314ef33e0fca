"""GraphiQL on the real server, in a real browser: two windows, one board."""

import re

import pytest
from playwright.async_api import async_playwright, expect

from tests.test_explorer import ARGUMENTS, CHROMIUM

expect.set_options(timeout=30_000)  # a browser on two busy cores takes its time
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="needs chromium: apt-get install chromium"),
    pytest.mark.slow("a browser with two windows"),
]


async def open_tab(browser, origin, tab):
    page = await browser.new_page(viewport={"width": 1400, "height": 900})
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


@pytest.mark.parametrize("kind", ["sqlite"])  # the page does not know which
async def test_what_one_window_changes_the_other_shows(serve, fresh, run):
    url = await fresh()
    async with run(url) as app:
        _, [card] = await app.has_board("Paint the signal")
        to_do = 'mutation { moveCard(input: {id: "%s", stage: TODO}) { __typename } }' % card  # noqa: UP031
        assert await app.data(to_do) == {"__typename": "Card"}
    process = await serve(url)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        watch, told_there = await open_tab(browser, process.http, "Watch")
        shown = await execute(watch)
        await expect(shown).to_contain_text("TODO")  # the history, replayed from "0"
        move, told_here = await open_tab(browser, process.http, "MoveCard")
        await expect(await execute(move)).to_contain_text("IN_PROGRESS")
        await expect(shown).to_contain_text("IN_PROGRESS")
        await expect(await execute(move)).to_contain_text("IN_PROGRESS")  # the same stage is reordering
        assert told_here == told_there == []
        await browser.close()
