"""Plain Strawberry, as its documentation shows it: a resolver a field, a DataLoader a link, ORM rows."""

import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime
from typing import Any

import strawberry
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

from auth.permissions import sees_board
from kit.db.database import normalize_url
from models.account import User
from models.actor import Actor, ActorKind
from models.board import Board, BoardColumn
from models.card import Card, CardLabel, CardType, Priority, Subtask
from models.stage import Stage
from models.workspace import Label

Info = strawberry.Info[dict[str, Any], None]


@strawberry.type(name="Label")
class LabelType:
    id: strawberry.ID
    name: str
    colour: str


@strawberry.type(name="Subtask")
class SubtaskType:
    id: strawberry.ID
    title: str
    completed: bool
    phase: str | None


@strawberry.type(name="Column")
class ColumnType:
    id: strawberry.ID
    name: str
    stage: strawberry.enum(Stage)  # type: ignore[valid-type]


@strawberry.type(name="Card")
class CardOf:
    id: strawberry.ID
    number: int
    title: str
    type: strawberry.enum(CardType)  # type: ignore[valid-type]
    priority: strawberry.enum(Priority)  # type: ignore[valid-type]
    due_on: date | None
    version: int
    created_at: datetime
    column_id: strawberry.ID

    @strawberry.field
    async def subtasks(root: strawberry.Parent[Any], info: Info) -> list[SubtaskType]:
        return await info.context["subtasks"].load(root.id)  # type: ignore[no-any-return]

    @strawberry.field
    async def labels(root: strawberry.Parent[Any], info: Info) -> list[LabelType]:
        return await info.context["labels"].load(root.id)  # type: ignore[no-any-return]


@strawberry.type
class CardPage:
    nodes: list[CardOf]


@strawberry.type(name="Board")
class BoardType:
    id: strawberry.ID
    name: str

    @strawberry.field
    async def columns(root: strawberry.Parent[Any], info: Info) -> list[ColumnType]:
        query = select(BoardColumn).where(BoardColumn.board_id == root.id).order_by(BoardColumn.rank)
        return await info.context["rows"](query)  # type: ignore[no-any-return]

    @strawberry.field
    async def cards(root: strawberry.Parent[Any], info: Info, first: int = 50) -> CardPage:
        query = select(Card).join(BoardColumn, BoardColumn.id == Card.column_id)
        query = query.where(Card.board_id == root.id, Card.archived_at.is_(None))
        query = query.order_by(BoardColumn.rank, Card.rank, Card.id).limit(first)
        return CardPage(nodes=await info.context["rows"](query))


@strawberry.type
class Query:
    @strawberry.field
    async def board(self, info: Info, id: strawberry.ID) -> BoardType | None:
        rows = await info.context["rows"](select(Board).where(Board.id == id, info.context["sees"]))
        return rows[0] if rows else None

    @strawberry.field
    async def card(self, info: Info, id: strawberry.ID) -> CardOf | None:
        mine = select(Board.id).where(info.context["sees"])
        rows = await info.context["rows"](select(Card).where(Card.id == id, Card.board_id.in_(mine)))
        return rows[0] if rows else None


def _grouped(pairs: Any) -> Callable[[list[str]], list[list[Any]]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for key, row in pairs:
        found[key].append(row)
    return lambda keys: [found[key] for key in keys]


def plain(url: str) -> Starlette:
    """The question of bench/boards.py, seeing what the owner sees."""
    engine = create_async_engine(normalize_url(url), pool_size=10, max_overflow=0)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    owner: list[str] = []

    class View(GraphQL[Any, Any]):
        async def get_context(self, request: Any, response: Any = None) -> Any:
            async def rows(query: Any) -> list[Any]:
                async with sessions() as session:
                    return list(await session.scalars(query))

            async def pairs(query: Any) -> list[Any]:
                async with sessions() as session:
                    return list((await session.execute(query)).all())

            async def subtasks(keys: list[str]) -> list[list[Any]]:
                query = select(Subtask.card_id, Subtask).where(Subtask.card_id.in_(keys))
                order = Subtask.phase_order, Subtask.rank, Subtask.id
                return _grouped(await pairs(query.order_by(*order)))(keys)

            async def labels(keys: list[str]) -> list[list[Any]]:
                query = select(CardLabel.card_id, Label).join(Label, Label.id == CardLabel.label_id)
                query = query.where(CardLabel.card_id.in_(keys))
                return _grouped(await pairs(query.order_by(Label.name_folded, Label.id)))(keys)

            sees = sees_board(Actor(ActorKind.USER, owner[0]), Board.id)
            loads: dict[str, Callable[[list[str]], Awaitable[Any]]] = {"subtasks": subtasks, "labels": labels}
            loaders = {name: DataLoader(load) for name, load in loads.items()}
            return {"rows": rows, "sees": sees, **loaders}

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with sessions() as session:
            owner.append(str(await session.scalar(select(User.id).where(User.is_local))))
        yield
        await engine.dispose()

    routes = [Route("/graphql", View(strawberry.Schema(Query)))]
    return Starlette(routes=routes, lifespan=lifespan)
