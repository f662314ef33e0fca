"""Running plans: every object of a level at once."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import (
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    Undefined,
    get_argument_values,
    is_abstract_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.executor import Executor as Core
from graphql.pyutils import Path, gather_with_cancel, is_iterable
from orjson import Fragment

from kit.graphql.executor.batch_resolver import REQUESTED_COLUMNS
from kit.graphql.executor.json_rows import Entry
from kit.graphql.executor.leaves import Unplanned
from kit.graphql.executor.plan import FieldPlan, Plan, Selection

NOTHING = type(None)  # looked for among types: rows are slow to say that they are not None
At = Callable[[int], Path]  # the path of an object by its place in the level


class LevelExecution:
    """One run, for one root field. Whatever is not as it should be raises.

    With `texts`, lists of leaves may be answered as JSON, which only a transport knows to read.
    """

    def __init__(self, core: Core[Any], *, texts: bool) -> None:
        self._core, self._texts = core, texts
        self.counted = 0  # objects

    async def values(
        self,
        type_: GraphQLOutputType,
        below: Selection,
        values: Sequence[Any],
        at: At,
        info: Callable[[], GraphQLResolveInfo[Any]],
        *,
        sure: bool = False,
    ) -> Sequence[Any]:
        """Complete values of a composite type, or lists of it. `sure`: of which type they are is known."""
        if is_non_null_type(type_):
            found = await self.values(type_.of_type, below, values, at, info, sure=sure)
            if NOTHING in map(type, found):
                raise Unplanned("null where none may be")
            return found
        if NOTHING in map(type, values):
            kept = [place for place, value in enumerate(values) if value is not None]
            some = [values[place] for place in kept]
            done = await self.values(type_, below, some, lambda i: at(kept[i]), info, sure=sure)
            found = [None] * len(values)
            for place, value in zip(kept, done, strict=True):
                found[place] = value
            return found
        if not values:
            return values
        if is_list_type(type_):
            return await self._lists(type_.of_type, below, values, at, info, sure=sure)
        if is_abstract_type(type_):
            return await self._abstract(type_, below, values, at, info())
        assert is_object_type(type_), "leaves are completed as columns"
        if not sure:
            self._check(type_, values, info)
        return await self.objects(below.plan(self._core, type_), values, at)

    async def _lists(
        self, type_: Any, below: Selection, lists: Sequence[Any], at: At, info: Any, *, sure: bool
    ) -> Sequence[Any]:
        """Join lists to one level, complete it, and cut it apart again."""
        lists = [one if type(one) is list else _listed(one) for one in lists]
        joined = [item for items in lists for item in items]
        places: list[Path] = []

        def place(i: int) -> Path:
            if not places:  # only made if a resolver is to be told
                for n, items in enumerate(lists):
                    above = at(n)
                    places.extend(above.add_key(k, None) for k in range(len(items)))
            return places[i]

        done = await self.values(type_, below, joined, place, info, sure=sure)
        found, start = [], 0
        for items in lists:
            found.append(list(done[start : start + len(items)]))
            start += len(items)
        return found

    async def _abstract(
        self, type_: Any, below: Selection, values: Sequence[Any], at: At, info: GraphQLResolveInfo[Any]
    ) -> Sequence[Any]:
        """Complete values of an interface or a union, type by type."""
        resolve = type_.resolve_type or self._core.type_resolver
        kinds: dict[str, list[int]] = {}
        for place, value in enumerate(values):
            name = resolve(value, info, type_)
            if not isinstance(name, str):
                raise Unplanned("a type that is not known at once")
            kinds.setdefault(name, []).append(place)
        found: list[Any] = [None] * len(values)
        for name, places in kinds.items():
            kind = self._core.ensure_valid_runtime_type(name, type_, [], info, None)
            some = [values[place] for place in places]
            self._check(kind, some, lambda: info)
            plan = below.plan(self._core, kind)
            for place, value in zip(
                places,
                await self.objects(plan, some, lambda i, places=places: at(places[i])),  # type: ignore[misc]
                strict=True,
            ):
                found[place] = value
        return found

    def _check(self, type_: GraphQLObjectType, values: Sequence[Any], info: Any) -> None:
        if type_.is_type_of is not None:
            resolve_info = info()
            if any(type_.is_type_of(value, resolve_info) is not True for value in values):
                raise Unplanned("of another type")

    async def objects(self, plan: Plan, objects: Sequence[Any], at: At) -> list[dict[str, Any]]:
        """Answer every step of a plan for all objects."""
        self.counted += len(objects)
        found: list[Any] = [None] * len(plan.steps)
        waiting: list[tuple[int, FieldPlan]] = []
        for place, step in enumerate(plan.steps):
            if step.constant is not None:
                found[place] = [step.constant] * len(objects)
            elif step.read is not None and step.leaves is not None:
                found[place] = step.leaves(list(map(step.read, objects)))
            else:
                waiting.append((place, step))
        if len(waiting) == 1:
            [(place, step)] = waiting
            found[place] = await self._step(plan, step, objects, at)
        elif waiting:
            done = await gather_with_cancel(*(self._step(plan, step, objects, at) for _, step in waiting))
            for (place, _), values in zip(waiting, done, strict=True):
                found[place] = values
        if not found:
            return [{} for _ in objects]
        return [dict(zip(plan.keys, values, strict=True)) for values in zip(*found, strict=True)]

    async def _step(self, plan: Plan, step: FieldPlan, objects: Sequence[Any], at: At) -> Sequence[Any]:
        type_ = step.definition.type

        def place(i: int) -> Path:
            return Path(at(i), step.key, plan.type.name)

        def info(i: int = 0) -> GraphQLResolveInfo[Any]:
            return self._core.build_resolve_info(step.definition, step.below.nodes, plan.type, place(i))

        if step.read is not None:
            values: Sequence[Any] = list(map(step.read, objects))
        elif step.together is not None:
            if self._texts and (entries := step.texts(self._core)) is not None:
                return await self._written(step, objects, entries)
            columns = step.columns(self._core)
            values = await step.together.answers(self._core.context_value, objects, columns)
        else:
            values = await self._called(step, objects, info)
        if step.leaves is not None:
            return step.leaves(values)
        sure = step.together is not None and step.together.sure
        return await self.values(type_, step.below, values, place, info, sure=sure)

    async def _written(
        self, step: FieldPlan, objects: Sequence[Any], entries: tuple[Entry, ...]
    ) -> Sequence[Fragment]:
        """Lists that are JSON already."""
        assert step.together is not None, "it has texts"
        assert step.together.texts is not None, "it has texts"
        lists = await step.together.texts.answers(self._core.context_value, objects, entries)
        self.counted += sum(map(len, lists))
        return [Fragment(f"[{','.join(items)}]") for items in lists]

    async def _called(
        self, step: FieldPlan, objects: Sequence[Any], info: Callable[[int], GraphQLResolveInfo[Any]]
    ) -> Sequence[Any]:
        """Call a resolver for each object, and await what has to be awaited together."""
        core, resolve = self._core, step.definition.resolve or self._core.field_resolver
        given = get_argument_values(
            step.definition, step.node, core.variable_values, None, core.hide_suggestions
        )
        values: list[Any] = []
        before = REQUESTED_COLUMNS.set(step.wanted(core))
        try:
            try:
                for i, one in enumerate(objects):
                    values.append(resolve(one, info(i), **given))
            except Exception:
                core.track_async_work(values)
                raise
            awaited = [i for i, value in enumerate(values) if core.is_awaitable(value)]
            if awaited:
                done = await gather_with_cancel(*(values[i] for i in awaited))
                for i, value in zip(awaited, done, strict=True):
                    values[i] = value
        finally:
            REQUESTED_COLUMNS.reset(before)
        if any(isinstance(value, Exception) or value is Undefined for value in values):
            raise Unplanned("an error as a value")
        return values


def _listed(value: Any) -> list[Any]:
    if not is_iterable(value):
        raise Unplanned("no list")
    return list(value)
