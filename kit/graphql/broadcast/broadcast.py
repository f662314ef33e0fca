"""Broadcast: what many subscribers follow alike is executed and encoded once, and sent to all of them.

A subscription begins alone: it is authorized, charged, and sent what it missed, at its own pace. Its resolver
yields a `Delivery` for each item; once it has caught up it yields `CaughtUp`, is closed, and the subscription
joins a group: the subscriptions whose answers cannot differ. They have the same document, variables (except where
to begin) and topic, and their contexts say that they see the same (`context.audience`). A group follows its topic
once, as its founder. Each event is executed once and encoded once; the bytes go to every member, each under its
own operation id.

A group promises to each of its members:
- The same items in the same order as alone. A member has a place and gets exactly the items after it. A member
  that joins a little late gets the items it missed from the group's cache of its newest items.
- No item without access. Before each page, and whenever the group was woken or polls, the resolver checks in one
  statement which members still have access, in the same snapshot from which the items are read. A member without
  access goes back to reading alone, and learns there how its feed ends.
- No waiting for others. At most MAX_MEMBER_BUFFER_BYTES wait for a slow reader; beyond that the member goes back
  and reads the log alone until it has caught up again.
- Its own errors. An item whose answer has an error is not shared: all members go back and execute it themselves.

A member that goes back begins as every subscription does, from its place, but is not charged again. It joins a
group again only after it was sent an item, so that no member moves in a circle. A group ends with its last
member, when its founder loses access, or with an error; then all members go back.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Hashable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import orjson
from strawberry.types import ExecutionResult

from kit.eventlog.event_log import START, Cursor
from kit.eventlog.pubsub import Listener
from kit.graphql.errors import log_unexpected
from kit.graphql.item_page import ItemPage
from kit.graphql.json import encode
from kit.graphql.limits.guard import log_operation
from kit.graphql.operation import Operation, begin_operation, current_operation, request_id

MAX_MEMBER_BUFFER_BYTES = 64 * 1024  # of one member; a single answer may be larger
MAX_BATCH_BYTES = 16 * 1024  # of answers that are sent together
MAX_GROUP_CACHE_BYTES = 256 * 1024  # of a group's newest answers, for members that join late
MAX_CACHE_BYTES = 16 * 1024 * 1024  # of all groups of a process together
MAX_MEMBERS_PER_TURN = 200  # that are sent to before other tasks run

log = logging.getLogger("signalbox.error")

Start = Callable[[], Awaitable[AsyncIterator[Any]]]
Put = Callable[[Sequence[bytes]], bool]  # sends answers at once; False if it cannot
AccessByMember = Mapping[Any, bool]  # whether each of the checked members still has access


@dataclass(frozen=True)
class FeedPosition:
    """The place of a follower: after `cursor`, and anything else that decides what follows."""

    cursor: Cursor
    rest: Hashable = None

    @property
    def after(self) -> str:
        return str(self.cursor) if self.cursor.epoch else START


class Delivery(NamedTuple):
    """An item of a feed, as its resolver yields it.

    `access` is the access of a group's members at the moment the item was read; None outside a group.
    """

    place: FeedPosition  # the place behind the item
    item: Any
    access: AccessByMember | None = None


class DeliveryPage(NamedTuple):
    """Deliveries that are completed together, as one moment shows them."""

    deliveries: Sequence[Delivery]


class PageEnd(NamedTuple):
    """The end of a group's page: its items are sent.

    `access` is set if nothing follows yet, and admits newcomers.
    """

    place: FeedPosition
    access: AccessByMember | None


@dataclass(frozen=True)
class CaughtUp:
    """All items up to `place` were yielded, and nothing follows yet: a group may go on.

    The topic `also` is about `who`: it wakes the group to check the access.
    """

    topic: str
    place: FeedPosition
    who: Any
    also: str


class StreamedResult(NamedTuple):
    """A result, or a whole payload as orjson.Fragment, and the cursor that resumes after it."""

    result: Any
    cursor: str | None


class SharedSubscription:
    """How a subscription begins, and how far it is.

    asked: names the operation, the same for those that ask the same; None while it must not be shared.
    place: where to resume, for one that was in a group; it was let in and charged then.
    group: the group that this is run for.
    cursor: the cursor after the newest item that was yielded.
    """

    def __init__(self, group: "Audience | None" = None) -> None:
        self.group = group
        self.asked: tuple[Hashable, bool] | None = None
        self.place: FeedPosition | None = None
        self.left: CaughtUp | None = None
        self.cursor: str | None = None
        self.deliveries: Sequence[Delivery] = ()  # of the operation's page
        self._refused: FeedPosition | None = None

    @property
    def is_first(self) -> bool:
        return self.group is None and self.place is None

    @property
    def goes_on(self) -> bool:
        """Whether the operation continues after this part of it."""
        return self.group is not None or self.left is not None

    def deliver(self, delivery: Delivery) -> Any:
        """Note how far a delivery leads. Returns its item."""
        self.cursor = delivery.place.after
        if self.group is not None and delivery.access is not None:
            self.group.expect(delivery.place, delivery.access)
        return delivery.item

    def answer_next(self, page: ItemPage | None, data: Any) -> "StreamedResult | None":
        """Return the answer of the page's next item if it was completed with the one that is answered by `data`."""
        if page is None or not data or (value := page.value_at(page.place)) is None:
            return None
        self.deliver(self.deliveries[page.place])
        page.place += 1
        return StreamedResult(orjson.Fragment(encode({"data": dict.fromkeys(data, value)})), self.cursor)

    def leave(self, caught_up: CaughtUp) -> bool:
        """Leave for a group, if this may be shared. The subscription's own reading ends then."""
        if self.asked is None or self.group is not None or caught_up.place == self._refused:
            return False
        self.left = caught_up
        return True

    def come_back(self, place: FeedPosition, *, at_once: bool) -> None:
        self.left, self.place = None, place
        self._refused = None if at_once else place


def share_subscription() -> SharedSubscription:
    """Return how the current operation is shared."""
    sharing: SharedSubscription | None = current_operation().sharing
    return sharing if sharing is not None else SharedSubscription()


async def unwrap_deliveries(steps: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    """Yield the items of a resolver's deliveries to the engine, and note for the broadcaster how far they lead.

    A resolver that yields its items bare is followed by each subscriber alone, and has no cursors.
    """
    operation, shared = current_operation(), share_subscription()
    async with aclosing(steps):
        async for step in steps:
            match step:
                case Delivery():
                    yield shared.deliver(step)
                case DeliveryPage(deliveries):
                    shared.deliveries = deliveries
                    page = operation.page = ItemPage([delivery.item for delivery in deliveries])
                    while page.place < len(deliveries):
                        page.place += 1
                        yield shared.deliver(deliveries[page.place - 1])
                    operation.page = None
                case PageEnd(place, access):
                    assert shared.group is not None, "only a group's resolver ends pages"
                    await shared.group.end_page(place, access)
                case CaughtUp():
                    if shared.leave(step):
                        return
                case item:
                    yield item


class Member:
    """One subscription in a group: answers go to `put` if that can take them, else they wait for its task."""

    def __init__(self, left: CaughtUp, put: Put | None) -> None:
        self.who, self.also, self.place = left.who, left.also, left.place
        self.is_back = self.may_return = False
        self._put = put
        self._waiting: list[EncodedItem] = []  # few; an empty deque takes 600 bytes, and members are many
        self._size = 0
        self._news: asyncio.Future[None] | None = None  # set while its task waits

    def give(self, items: Sequence["EncodedItem"], payloads: Sequence[bytes]) -> bool:
        """Send items, or their payloads, or let them wait; False if too much waits already."""
        place = items[-1].place
        if self._news is not None and self._put is not None and not self._waiting and self._put(payloads):
            self.place = place
            return True
        size = sum(map(len, payloads))
        if self._waiting and self._size + size > MAX_MEMBER_BUFFER_BYTES:
            return False
        self._waiting += items
        self._size += size
        self.place = place
        self._wake()
        return True

    def send_back(self, *, at_once: bool = False) -> None:
        """Let it read alone from its place. `at_once`: it may join a group again before it was sent an item."""
        self.is_back, self.may_return = True, at_once
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, None
        if news is not None and not news.done():
            news.set_result(None)

    async def items(self) -> AsyncIterator["EncodedItem"]:
        """Yield what its task must send, until it goes back."""
        while True:
            while self._waiting:
                item = self._waiting.pop(0)
                self._size -= len(item.payload)
                yield item
            if self.is_back:
                return
            self._news = asyncio.get_running_loop().create_future()
            try:
                await self._news
            finally:
                self._news = None


class EncodedItem(NamedTuple):
    """An item of a group, executed and encoded, with the places before and after it."""

    before: FeedPosition
    payload: bytes
    place: FeedPosition


@dataclass
class ItemCache:
    """The number of bytes that the groups of a process cache together."""

    size: int = 0


class Audience:
    """Members that get the same items. Its resolver yields deliveries; `unwrap_deliveries` passes them on."""

    def __init__(self, place: FeedPosition, store: ItemCache) -> None:
        self.place = place  # up to which its members were sent items
        self.people: Counter[Any] = Counter()
        self._members: dict[Member, None] = {}
        self._newcomers: dict[Member, None] = {}
        self._unsent: list[EncodedItem] = []
        self._kept: deque[EncodedItem] = deque()  # was sent
        self._size, self._store = 0, store
        self._coming: FeedPosition | None = None
        self._also: Counter[str] = Counter()
        self._listener: Listener | None = None
        self.task: asyncio.Task[None] | None = None

    # Members

    def join(self, member: Member) -> None:
        """Add a newcomer. It is admitted at the group's next step, which comes at once."""
        self._newcomers[member] = None
        self.people[member.who] += 1
        self._also[member.also] += 1
        if self._listener is not None:
            self._listener.add(member.also)
            self._listener.wake()

    def leave(self, member: Member) -> None:
        """Remove a member; it gets no further item."""
        if member not in self._members and member not in self._newcomers:
            return
        self._members.pop(member, None)
        self._newcomers.pop(member, None)
        for counter, key in ((self.people, member.who), (self._also, member.also)):
            counter[key] -= 1
            if not counter[key]:
                del counter[key]
        if self._listener is not None and member.also not in self._also:
            self._listener.drop(member.also)
        if not self.people and self.task is not None:
            self.task.cancel()

    @property
    def is_open(self) -> bool:
        return bool(self.people) and (self.task is None or not self.task.done())

    # Deliveries

    def listen_with(self, listener: Listener) -> None:
        """Let the topics about its members wake the group."""
        self._listener = listener
        for name in self._also:
            listener.add(name)

    def expect(self, place: FeedPosition, access: AccessByMember) -> None:
        """The next result is that of an item that leads to `place`, and was read when `access` was checked."""
        self._apply_access(access)
        self._coming = place

    async def end_page(self, place: FeedPosition, access: AccessByMember | None) -> None:
        """Send the page's items. With `access`, nothing follows `place` yet."""
        await self._send()
        if access is None:
            return
        self.place = place
        self._apply_access(access)
        for member in list(self._newcomers):
            if member.who in access:
                self._send_back(member)  # it stands where this group never was

    async def _send(self) -> None:
        if not self._unsent:
            return
        items, self._unsent = self._unsent, []
        payloads, self.place = [item.payload for item in items], items[-1].place
        self._keep(items)
        for number, member in enumerate(list(self._members), 1):
            if not member.is_back and member in self._members and not member.give(items, payloads):
                self._send_back(member, at_once=True)
            if number % MAX_MEMBERS_PER_TURN == 0:
                await asyncio.sleep(0)

    def _apply_access(self, access: AccessByMember) -> None:
        """Send back the members that lost access, and admit newcomers that have it."""
        barred = {who for who, may in access.items() if not may}
        if barred:
            for member in [*self._members, *self._newcomers]:
                if member.who in barred:
                    self._send_back(member)
        for member in list(self._newcomers):
            if member.who in access:  # else it came meanwhile, and is checked at the next step
                self._admit(member)

    def _admit(self, member: Member) -> None:
        """Admit a newcomer whose place is that of the group, or one that the cache still covers."""
        if member.place == self.place or self._catch_up(member):
            if not member.is_back:
                del self._newcomers[member]
                self._members[member] = None
        elif member.place.cursor < self.place.cursor:
            self._send_back(member)  # else it is ahead, and the group will get there

    def _catch_up(self, member: Member) -> bool:
        start = next((n for n, kept in enumerate(self._kept) if kept.before == member.place), None)
        if start is None:
            return False
        for kept in list(self._kept)[start:]:
            if not member.give([kept], [kept.payload]):
                self._send_back(member, at_once=True)
                break
        return True

    def _send_back(self, member: Member, *, at_once: bool = False) -> None:
        self.leave(member)
        member.send_back(at_once=at_once)

    # Running

    async def run(self, start: Start, founder: Operation) -> None:
        """Follow the topic for all members, until the group ends."""
        operation = begin_operation(founder.transport, None, wants_cost=founder.wants_cost)
        operation.sharing, operation.cost = SharedSubscription(self), founder.cost
        try:
            async with aclosing(cast("AsyncGenerator[Any, None]", await start())) as results:
                async for result in results:
                    if not await self._encode(result):
                        return
            await self._send()
        except Exception as error:
            log.error("group failed", extra=log_unexpected(error) | {"request_id": request_id.get()})
        finally:
            self._forget()
            for member in [*self._members, *self._newcomers]:
                self._send_back(member)

    async def _encode(self, result: Any) -> bool:
        """Encode a result for all members. Returns False if it is of no item, but of the end of the feed."""
        place, self._coming = self._coming, None
        if place is None:
            return False
        if not isinstance(result, ExecutionResult) or result.errors:
            await self._send()
            self.place = place
            self._forget()
            for member in list(self._members):
                self._send_back(member)
            return bool(self.people)
        before = self._unsent[-1].place if self._unsent else self.place
        self._unsent.append(EncodedItem(before, encode(_payload(result)), place))
        if sum(len(item.payload) for item in self._unsent) > MAX_BATCH_BYTES:
            await self._send()
        return True

    def _keep(self, items: list[EncodedItem]) -> None:
        for item in items:
            self._kept.append(item)
            self._size += len(item.payload)
            self._store.size += len(item.payload)
        while self._kept and (self._size > MAX_GROUP_CACHE_BYTES or self._store.size > MAX_CACHE_BYTES):
            self._drop()

    def _drop(self) -> None:
        size = len(self._kept.popleft().payload)
        self._size -= size
        self._store.size -= size

    def _forget(self) -> None:
        while self._kept:
            self._drop()


def _payload(result: ExecutionResult) -> dict[str, Any]:
    return {"data": result.data} | ({"extensions": result.extensions} if result.extensions else {})


class Broadcaster:
    """The groups of one process."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, Audience] = {}
        self._store = ItemCache()

    async def results(
        self, start: Start, context: Any, *, put: Callable[[], Put | None] = lambda: None
    ) -> AsyncGenerator[StreamedResult, None]:
        """Yield the results of `start`, then the encoded items of the subscription's group.

        `start` begins the operation in `context`, as often as it is called. `put` makes the function that sends an
        answer at once; what that took is not yielded. Runs in the operation's own task.
        """
        operation = current_operation()
        shared = operation.sharing = SharedSubscription()
        try:
            while True:
                async with aclosing(cast("AsyncGenerator[Any, None]", await start())) as results:
                    async for result in results:
                        yield StreamedResult(result, shared.cursor)
                        while (answer := shared.answer_next(operation.page, result.data)) is not None:
                            yield answer
                if shared.left is None:
                    return
                member = Member(shared.left, put())
                with self._in_a_group(shared, member, start, context):
                    async for item in member.items():
                        yield StreamedResult(orjson.Fragment(item.payload), item.place.after)
                shared.come_back(member.place, at_once=member.may_return)
        finally:
            if shared.left is not None:
                log_operation(operation)

    @contextmanager
    def _in_a_group(
        self, shared: SharedSubscription, member: Member, start: Start, context: Any
    ) -> Iterator[None]:
        assert shared.left is not None, "it left for a group"
        assert shared.asked is not None, "what it asks may be shared"
        operation, (asked, is_alike) = current_operation(), shared.asked
        key = asked, operation.wants_cost, context.audience(is_alike), shared.left.topic
        group = self._groups.get(key)
        if group is None or not group.is_open:
            group = self._groups[key] = Audience(member.place, self._store)
            group.join(member)
            group.task = asyncio.create_task(group.run(start, operation))
            group.task.add_done_callback(lambda _: self._forget(key, group))
        else:
            group.join(member)
        try:
            yield
        finally:
            group.leave(member)

    def _forget(self, key: Hashable, group: Audience) -> None:
        if self._groups.get(key) is group:
            del self._groups[key]
