"""A schema that has everything that can go wrong, on data that makes it go wrong."""

import asyncio
import enum
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry
from strawberry import ID, Parent
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.types.field import StrawberryField

from kit.graphql.executor import BatchResolver


class Broken(Exception):
    """What a resolver raises."""


@strawberry.enum
class Colour(enum.Enum):
    RED = "r"
    GREEN = 2
    BLUE = "b"


@dataclass(eq=False)
class Thing:
    """A row, of whatever kind; `is_type_of` looks at the kind."""

    kind: str
    id: Any
    title: Any
    count: Any
    ratio: Any
    done: Any
    colour: Any
    tags: Any
    owner: Any
    parts: Any


class Context:
    """What one operation loads, and from where."""

    def __init__(self, things: dict[str, Thing]) -> None:
        self.things, self.calls = things, 0
        self.forget()

    def forget(self) -> None:
        self.loader = DataLoader(self._load)

    async def _load(self, keys: list[Any]) -> list[Any]:
        self.calls += 1
        await asyncio.sleep(0)
        return [Broken(f"no {key}") if str(key).startswith("bad") else self.things.get(key) for key in keys]


def declared(attribute: str, *, many: bool) -> StrawberryField:
    """A field that is answered through the loader, for one object or for all."""

    async def resolve(root: Any, info: strawberry.Info) -> Any:
        keys = getattr(root, attribute)
        if many:
            return None if keys is None else await info.context.loader.load_many(keys)
        return None if keys is None else await info.context.loader.load(keys)

    async def answers(context: Any, rows: Sequence[Any], columns: Any) -> list[Any]:
        every = [getattr(row, attribute) for row in rows]
        if not many:
            every = [None if key is None else [key] for key in every]
        known = [keys for keys in every if keys is not None]
        found = iter(await asyncio.gather(*map(context.loader.load_many, known)))
        lists = [None if keys is None else next(found) for keys in every]
        return lists if many else [None if rows is None else rows[0] for rows in lists]

    field = strawberry.field(resolver=resolve)
    field.metadata = {"together": BatchResolver(answers, frozenset((attribute,)))}
    return field


@strawberry.interface
class Named:
    id: ID
    title: str

    @classmethod
    def resolve_type(cls, value: Any, info: Any, type_: Any) -> Any:
        return None if value.kind == "none" else value.kind.title()


def kind(name: str) -> Callable[[type], type]:
    def wrap(cls: type) -> type:
        cls.is_type_of = classmethod(lambda cls, value, info: value.kind == name)
        return strawberry.type(cls)

    return wrap


BoxLater = Annotated["Box", strawberry.lazy("tests.executor.toy")]
PairLater = Annotated["Box | Toy", strawberry.union("Pair")]


@kind("toy")
class Toy(Named):
    count: int
    maybe_count: int | None = strawberry.field(resolver=lambda root: root.count)
    ratio: float | None
    done: bool | None
    colour: Colour | None
    tags: list[str] | None
    strict_tags: list[str] = strawberry.field(resolver=lambda root: root.tags)
    owner: BoxLater | None = declared("owner", many=False)
    strict_owner: BoxLater = declared("owner", many=False)


@kind("box")
class Box(Named):
    count: int | None
    colour: Colour
    parts: list[Toy] | None = declared("parts", many=True)
    loose_parts: list[Toy | None] | None = declared("parts", many=True)
    strict_parts: list[Toy] = declared("parts", many=True)
    inside: Annotated["Box | None", "A box in a box."] = declared("owner", many=False)

    @strawberry.field
    async def named(root: Parent[Any], info: strawberry.Info, first: int = 2) -> list[Named | None]:
        """Anything by name: an interface, with an argument."""
        await asyncio.sleep(0)
        return await info.context.loader.load_many((root.parts or [])[:first] + [root.owner] * (first > 1))

    @strawberry.field
    def pairs(root: Parent[Any], info: strawberry.Info) -> list[list[PairLater | None]] | None:
        """Lists of lists of a union."""
        things = list(info.context.things.values())[:3]
        return [things, [], things[:1]] if root.count != 13 else None

    @strawberry.field
    async def risky(root: Parent[Any], at: int = 0) -> str | None:
        """Raises for some."""
        if root.count == at:
            raise Broken(f"risky {at}")
        return root.title

    @strawberry.field
    def strict(root: Parent[Any]) -> str:
        """Raises, or answers what cannot be, for some."""
        if root.done is False:
            raise Broken("strict")
        return root.title


@strawberry.type
class Query:
    @strawberry.field
    async def box(self, info: strawberry.Info, id: ID = ID("box1")) -> Box | None:
        return info.context.things.get(id)

    @strawberry.field
    def boxes(self, info: strawberry.Info, first: int = 9) -> list[Box]:
        return [one for one in info.context.things.values() if one.kind == "box"][: max(first, 0)]

    @strawberry.field
    async def loose_boxes(self, info: strawberry.Info) -> list[Box | None] | None:
        return [None, *(one for one in info.context.things.values() if one.kind == "box")]

    @strawberry.field
    async def everything(self, info: strawberry.Info) -> list[Named | None] | None:
        return list(info.context.things.values())

    @strawberry.field
    async def pair(self, info: strawberry.Info) -> PairLater | None:
        return next(iter(info.context.things.values()))

    @strawberry.field
    async def failing(self) -> Box:
        raise Broken("failing")

    count: int = 3


# The same text is the same document, so that plans are found again.
schema = strawberry.Schema(
    Query, types=[Toy, Box], extensions=[lambda: ParserCache(maxsize=500), ValidationCache]
)

# For each attribute: what it is when all is well, and what it is otherwise.
GOOD: dict[str, list[Any]] = {
    "title": ["one", "two", ""],
    "count": [0, 1, 13, -5],
    "ratio": [0.5, 2, None],
    "done": [True, None],
    "colour": [Colour.RED, Colour.GREEN, Colour.BLUE],
    "tags": [[], ["a", "b"]],
}
BAD: dict[str, list[Any]] = {
    "title": [None, 7, ["x"], Broken("title")],
    "count": [None, 2**40, "3", 1.5, True],
    "ratio": [float("nan"), "x"],
    "done": [False, "yes", 1],
    "colour": [None, "r", 2, "purple", 2.0],
    "tags": [None, ["a", None], "text", 5],
}


def things(seed: int, *, bad: float) -> dict[str, Thing]:
    """Boxes and toys; `bad` says how many attributes are not as they should be."""
    chance = random.Random(seed)
    ids = [f"box{n}" for n in range(4)] + [f"toy{n}" for n in range(5)]
    keys = [*ids, "lost", *(["bad"] if bad else [])]
    found = {}
    for id in ids:
        values = {
            name: chance.choice(BAD[name] if chance.random() < bad else good) for name, good in GOOD.items()
        }
        boxes, toys = [k for k in ids if k[0] == "b"], [k for k in ids if k[0] == "t"]
        astray = chance.random() < bad
        owner = chance.choice(keys if astray else [*boxes, *([None] if id in boxes else [])])
        parts = chance.choices(keys if chance.random() < bad else toys, k=chance.randrange(4))
        kind = chance.choice(["none", "cat"]) if chance.random() < bad / 4 else id[:3]
        found[id] = Thing(kind, id, owner=owner, parts=chance.choice([parts, parts, None]), **values)
    return found
