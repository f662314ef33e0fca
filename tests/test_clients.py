"""Clients that nobody here wrote, against the real server and its own schema."""

import pytest

from tests.graphql.test_clients import SUITES, run
from tests.worker.live import Live

pytestmark = pytest.mark.processes

MOVE = "mutation($id: ID!) { moveCard(input: {id: $id, position: {top: true}}) { __typename } }"

CARD = """mutation($board: ID!) { createCard(input: {boardId: $board, title: "Say hello"}) {
    ... on Card { id } ... on Refusal { code message } } }"""


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_client_of_the_world(serve, tmp_path):
    live = Live(await serve(POINTS="1000000"), tmp_path)
    await live.begin()
    try:
        live.worker()
        run_id = await live.start("COMMAND", command="echo all done", stdin="close")
        assert (await live.until(run_id, "SUCCEEDED", "FAILED"))["status"] == "SUCCEEDED"
        cards = (
            await live.ask("query($id: ID!) { board(id: $id) { cards { nodes { id } } } }", id=live.board)
        )["cards"]
        for _ in range(10):
            await live.ask(MOVE, id=cards["nodes"][0]["id"])
        operations = {
            "query": f'{{ board(id: "{live.board}") {{ name cards {{ nodes {{ id title }} }} }} }}',
            "mutation": MOVE.replace("($id: ID!)", "").replace("$id", f'"{cards["nodes"][0]["id"]}"'),
            "subscription": f'subscription {{ runFeed(runId: "{run_id}", after: "0") {{ __typename }} }}',
            "token": live.server.headers["authorization"],
            "endless": f"""subscription {{ boardFeed(boardId: "{live.board}", after: "0") {{ seq
              event {{ kind: __typename }} }} }}""",
        }
        for script, count in SUITES.items():
            lines = await run(script, live.server.http, operations)
            assert [line for line in lines if not line.startswith("ok ")] == [], script
            assert len(lines) == count, script
    finally:
        await live.end()


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_feed_is_followed_across_reconnects(serve, tmp_path):
    live = Live(await serve(), tmp_path)
    await live.begin()
    try:
        card = (await live.ask(CARD, board=live.board))["id"]
        operations = {
            "mutation": f'mutation {{ postMessage(input: {{cardId: "{card}", body: "again"}}) {{ __typename }} }}',
            "board": f'{{ board(id: "{live.board}") {{ seq }} }}',
            "follow": f'subscription($after: String) {{ feed: boardFeed(boardId: "{live.board}", after: $after) '
            "{ seq cursor } }",
            "token": live.server.headers["authorization"],
        }
        lines = await run("follow", live.server.http, operations)
        assert [line for line in lines if not line.startswith("ok ")] == []
        assert len(lines) == 3
    finally:
        await live.end()
