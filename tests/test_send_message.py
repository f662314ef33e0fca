"""Messages to an agent at work: posted, sent to its worker, and delivered once."""

import asyncio

from tests.board import card, do
from tests.work import at_work

BEAT = """mutation($input: WorkerHeartbeatInput!) { workerHeartbeat(input: $input) { ... on WorkerBeat {
  commands { id: commandId kind body mode key } } } }"""
ACK = "acknowledgeCommand"


async def commands(app, worker):
    return (await app.data(BEAT, worker.actor, input={"workerId": worker.id}))["commands"]


async def test_a_message_is_sent_until_it_is_acknowledged(run):
    async with run() as app:
        _, id, worker, made = await at_work(app)
        sent = await do(
            app, "sendMessage", "... on Run { id }", runId=made, body="Use blue", mode="INTERRUPT"
        )
        assert sent["id"] == made
        for _ in range(2):
            [command] = await commands(app, worker)
            assert (command["kind"], command["body"], command["mode"]) == ("MESSAGE", "Use blue", "INTERRUPT")
        await do(app, ACK, lease=worker.leases[made], commandId=command["id"])
        assert await commands(app, worker) == []
        shown = await card(app, id, "messages { nodes { id body } }")
        assert shown["messages"]["nodes"] == [{"id": command["key"], "body": "Use blue"}]


async def test_messages_are_bounded_and_need_a_worker(run):
    async with run() as app:
        _, id, worker, made = await at_work(app)
        assert (await do(app, "sendMessage", runId=made, body=" "))["issues"][0]["path"] == "body"
        answers = await asyncio.gather(*(do(app, "sendMessage", runId=made, body=f"{n}") for n in range(23)))
        assert sorted(answer["__typename"] for answer in answers) == ["Conflict"] * 3 + ["Run"] * 20
        await worker.complete(made)
        assert (await do(app, "sendMessage", runId=made, body="Late"))["code"] == "CONFLICT"
        assert len((await card(app, id, "messages { nodes { id } }"))["messages"]["nodes"]) == 20
