"""Pages of a subscription's items, which an executor completes together: one read for a page, not for an item."""

import time
from collections.abc import Sequence
from typing import Any

import orjson

from kit.graphql.json import encode

MAX_PAGE_POINTS = 2_000  # cost of the items that are completed together
MAX_PAGE_BYTES = 128 * 1024  # of completed items; a slow reader keeps so much waiting
MAX_COMPLETED_SECONDS = 1.0  # age of completed items; those of a slow reader are completed anew


class ItemPage:
    """Items in order, the place of the next one, and the values of those that are completed already, as JSON."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.items, self.place = items, 0
        self._most = len(items)  # that are completed together
        self._values: dict[int, orjson.Fragment] = {}  # by place
        self._completed_at = 0.0

    def is_current(self, item: Any) -> bool:
        """Whether the item is the one before the next: the one that is executed."""
        return self.place > 0 and self.items[self.place - 1] is item

    def current_and_later(self, cost: int) -> Sequence[Any]:
        """Return the current item and those after it that may be completed with it. `cost` is that of one."""
        start = self.place - 1
        return self.items[start : start + max(1, min(self._most, MAX_PAGE_POINTS // max(1, cost)))]

    def keep(self, values: Sequence[Any]) -> None:
        """Keep the values of the next items, up to MAX_PAGE_BYTES."""
        self._completed_at, size = time.monotonic(), 0
        self._values.clear()
        for place, value in enumerate(values, self.place):
            payload = encode(value)
            size += len(payload)
            if size > MAX_PAGE_BYTES:
                self._most = 1 + len(self._values)
                return
            self._values[place] = orjson.Fragment(payload)

    def value_at(self, place: int) -> orjson.Fragment | None:
        """Return the value of an item, once; None if it is not completed, or was so too long ago."""
        if time.monotonic() - self._completed_at > MAX_COMPLETED_SECONDS:
            self._values.clear()
        return self._values.pop(place, None)
