"""Clients that nobody here wrote, against the real server and its own schema."""

import pytest

from tests.graphql.test_clients import SUITES, run
from tests.worker.live import Live

pytestmark = pytest.mark.processes

MOVE = "mutation($id: ID!) { moveCard(input: {id: $id, top: true}) { __typename } }"


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
            "endless": f'subscription {{ boardFeed(boardId: "{live.board}", after: "0") {{ seq kind }} }}',
        }
        for script, count in SUITES.items():
            lines = await run(script, live.server.http, operations)
            assert [line for line in lines if not line.startswith("ok ")] == [], script
            assert len(lines) == count, script
    finally:
        await live.end()
