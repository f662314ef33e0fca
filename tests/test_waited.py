"""Who waited for a board is judged by what is so once the board was had, not by what was so before."""

import asyncio
import time

import pytest
from sqlalchemy import select, text

from models.board import Board
from tests.board import REFUSALS, card, do
from tests.conftest import MAKE_KEY

UPDATE = f"""mutation($id: ID!, $title: String!) {{
  updateCard(input: {{id: $id, title: $title}}) {{ {REFUSALS} }} }}"""
WAITING = text(
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def until(look):
    deadline = time.monotonic() + 30
    while not await look():
        assert time.monotonic() < deadline, "it never came to wait"
        await asyncio.sleep(0.01)


def code(answer):
    """Why it was refused, or None."""
    if answer.get("errors"):
        return answer["errors"][0]["extensions"]["code"]
    return answer["data"]["updateCard"].get("code")


async def membership(app, name):
    query = "{ workspaces { nodes { members(first: 9) { nodes { id user { username } } } } } }"
    [workspace] = (await app.data(query))["nodes"]
    return {one["user"]["username"]: one["id"] for one in workspace["members"]["nodes"]}[name]


async def nothing(app, who):
    return None


async def removed(app, who):
    await do(app, "removeMember", id=await membership(app, who))


async def made_a_viewer(app, who):
    await do(app, "setMemberRole", id=await membership(app, who), role="VIEWER")


async def signed_out(app, who):
    await app.data("mutation { logoutEverywhere(input: {}) { __typename } }", who)


async def key_revoked(app, who):
    [workspace] = (await app.data("{ workspaces { nodes { apiKeys { nodes { id } } } } }"))["nodes"]
    await do(app, "revokeApiKey", id=workspace["apiKeys"]["nodes"][0]["id"])


CASES = [
    ("ann", nothing, None),
    ("ann", removed, "NOT_FOUND"),
    ("bob", made_a_viewer, "FORBIDDEN"),
    ("bob", signed_out, "UNAUTHENTICATED"),
    ("key", nothing, None),
    ("key", key_revoked, "UNAUTHENTICATED"),
]


async def has_everybody(app):
    await app.has_user("ann")
    await app.has_user("bob")
    given = {"workspaceId": await app.home(), "name": "k", "scopes": ["WRITE"]}
    app.tokens["key"] = f"Bearer {(await app.data(MAKE_KEY, input=given))['secret']}"


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_who_may_no_longer_once_the_board_is_had_changes_nothing(run, kind):
    async with run() as app:
        board, [id] = await app.has_board("Do it")
        await has_everybody(app)
        wrong = []
        for who, change, wanted in CASES:
            title = f"by {who} after {change.__name__}"
            async with app.begin() as tx:
                await tx.execute(select(Board.id).where(Board.id == board).with_for_update())
                asked = asyncio.create_task(app.ask(UPDATE, who, id=id, title=title))
                await until(lambda: app.services.database.read(WAITING))
                await change(app, who)
            refused, shown = code(await asked), (await card(app, id, "title"))["title"]
            if refused != wanted or (shown == title) != (wanted is None):
                wrong.append((title, refused, shown))
        assert wrong == []
