"""Subscriptions as Strawberry serves them: its own ASGI application, an async generator, a queue a subscriber.

`python plain.py PORT`. POST /publish?count=N makes N events; no database stands behind them.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL


@strawberry.type
class Card:
    id: strawberry.ID
    title: str
    stage: str


@strawberry.type
class BoardEvent:
    seq: int
    cursor: str
    kind: str
    card_id: strawberry.ID
    card: Card


queues: set[asyncio.Queue[BoardEvent]] = set()
seq = 0


@strawberry.type
class Query:
    ok: bool = True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def board_feed(self, board_id: strawberry.ID) -> AsyncGenerator[BoardEvent, None]:
        queue: asyncio.Queue[BoardEvent] = asyncio.Queue()
        queues.add(queue)
        queue.put_nowait(made())  # tells the load that it is heard
        try:
            while True:
                yield await queue.get()
        finally:
            queues.discard(queue)


def made() -> BoardEvent:
    global seq
    seq += 1
    card = Card(id=strawberry.ID(f"card_{'0' * 26}"), title="A card that is moved", stage="BACKLOG")
    return BoardEvent(seq=seq, cursor=f"abcdefgh.{seq}", kind="CARD_MOVED", card_id=card.id, card=card)


async def publish(request: Request) -> Response:
    for _ in range(int(request.query_params["count"])):
        event = made()
        for queue in queues:
            queue.put_nowait(event)
    return Response("{}")


view = GraphQL(strawberry.Schema(Query, subscription=Subscription), graphql_ide=None)
app = Starlette(
    routes=[
        Route("/publish", publish, methods=["POST"]),
        Route("/graphql", view),
        WebSocketRoute("/graphql", view),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
