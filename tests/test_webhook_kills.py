"""Webhooks while servers are killed: each event at least once, in the order of its board, none with two ids."""

import asyncio
import random

import httpx2
import pytest
from sqlalchemy import select

from kit.db.database import Database
from kit.eventlog.tables import Event
from models.events.card import CardUpdated
from models.webhook_endpoint import EndpointDelivery
from tests.receiver import receiver
from tests.test_webhook_endpoint import in_order

BOARDS, AT_ONCE = 4, 25
HOME = "{ workspaces { nodes { id } } }"
BOARD = "mutation($input: CreateBoardInput!) { made: createBoard(input: $input) { ... on Board { id } } }"
CARD = "mutation($input: CreateCardInput!) { made: createCard(input: $input) { ... on Card { id } } }"
ENDPOINT = """mutation($input: CreateWebhookEndpointInput!) { made: createWebhookEndpoint(input: $input) {
  ... on WebhookEndpointSecret { secret } ... on Refusal { message } } }"""
OPEN = {"OUTBOUND_NETWORKS": "127.0.0.0/8", "POINTS": "900000000", "POINTS_PER_SECOND": "900000000"}


async def ask(server, query, **variables):
    async with httpx2.AsyncClient(headers=server.headers, timeout=30) as client:
        answer = (await client.post(server.http, json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer
    return answer["data"]


def renames(card, first):
    fields = " ".join(
        f'u{n}: updateCard(input: {{id: "{card}", title: "title {n}"}}) {{ __typename }}'
        for n in range(first, first + AT_ONCE)
    )
    return f"mutation {{ {fields} }}"


@pytest.mark.parametrize(
    ("count", "kills"),
    [
        (200, 0),
        pytest.param(500, 3, marks=pytest.mark.slow("three kills")),
        pytest.param(10_000, 20, marks=[pytest.mark.long, pytest.mark.timeout(1_200)]),
    ],
)
async def test_no_message_is_lost_or_told_with_two_ids(serve, count, kills, figure):
    async with receiver() as at:
        servers = [await serve(**OPEN)]
        servers.append(await serve(servers[0].database_url, **OPEN))
        home = (await ask(servers[0], HOME))["workspaces"]["nodes"][0]["id"]
        cards = []
        for n in range(BOARDS):
            given = {"workspaceId": home, "name": f"Board {n}", "autoDispatch": False}
            board = (await ask(servers[0], BOARD, input=given))["made"]["id"]
            cards.append((await ask(servers[0], CARD, input={"boardId": board, "title": "t"}))["made"]["id"])
        given = {"workspaceId": home, "name": "all", "url": at.url(), "eventTypes": ["CardUpdated"]}
        at.secrets.append((await ask(servers[0], ENDPOINT, input=given))["made"]["secret"])

        async def write():
            for first in range(0, count, AT_ONCE):
                card = cards[first // AT_ONCE % BOARDS]
                while True:
                    try:
                        await ask(random.choice(servers), renames(card, first))
                        break
                    except (httpx2.HTTPError, ValueError):
                        await asyncio.sleep(0.1)

        writing = asyncio.create_task(write())
        killed = 0
        async with asyncio.timeout(60 + kills * 45):
            while killed < kills:
                await asyncio.sleep(0.01)
                if (
                    len(at.firsts() if len(at.told) < 200 else {one.id for one in at.told})
                    > killed * count // kills
                ):
                    at.answers[:] = ["500"] * (killed % 2)
                    # the one that sends is unknown: kill both in turn
                    server = servers[killed % 2]
                    server.kill()
                    server.start()
                    await server.ready()
                    killed += 1
            await writing
            database = Database(servers[0].database_url)
            query = select(Event.topic, Event.seq).where(Event.kind == CardUpdated.kind)
            wanted = {(row.topic, row.seq) for row in await database.read(query)}
            while {
                (f"board:{one.json['data']['boardId']}", one.json["data"]["seq"]) for one in at.told
            } != wanted:
                await asyncio.sleep(0.2)
        assert at.wrong == []
        assert len(wanted) >= count
        in_order(at.told)
        ids = {(one.json["data"]["boardId"], one.json["data"]["seq"]): one.id for one in at.told}
        assert len(set(ids.values())) == len(ids) == len(wanted)
        assert {one.id for one in at.told} == set(ids.values())
        if not kills:
            assert len(at.told) == len(ids), "two servers send nothing twice"
        kept = await database.read(select(EndpointDelivery.id))
        assert {row.id for row in kept} <= set(ids.values())
        await database.close()
        figure(messages=len(wanted), repeated=len(at.told) - len(ids), kills=killed)
