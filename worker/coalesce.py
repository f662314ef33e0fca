"""Coalesces an agent's text, which programs print a few characters at a time, up to sixty times a second.

Text is gathered for FLUSH_INTERVAL_SECONDS or MAX_CHUNK_BYTES and leaves as transient chunks. At every boundary,
and at the latest after MAX_UNSENT_SECONDS, the text leaves again as a part that is kept. The joined parts of an
item equal its joined chunks, byte for byte. No I/O: the caller passes the time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from protocol.events import AgentEvent, OutputText, ThinkingText

FLUSH_INTERVAL_SECONDS = 0.1  # seconds
MAX_CHUNK_BYTES = 32_768  # bytes
MAX_UNSENT_SECONDS = 5.0  # a killed worker loses at most this much text
MAX_PART_BYTES = 262_144  # bytes
MAX_CLOSED_ITEMS = 1000  # closed items that are remembered

Text = OutputText | ThinkingText
Place = tuple[str, str, str]


@dataclass
class OpenItem:
    """An item whose text is not complete."""

    like: Text
    began: float
    waiting: list[str] = field(default_factory=list)  # not yet sent as a chunk
    weight: int = 0  # bytes of `waiting`
    since: float = 0.0
    texts: list[str] = field(default_factory=list)  # text of the current part
    size: int = 0  # bytes of `texts`
    kept: int = 0  # characters sent in earlier parts
    digest: Any = field(default_factory=sha256)  # digest of these characters, to find them in the whole text
    part: int = 0


class Coalescer:
    def __init__(self) -> None:
        self._open: dict[Place, OpenItem] = {}
        self._shut: dict[Place, OpenItem] = {}  # closed items: they may continue, or be repeated as a whole

    def feed(self, event: AgentEvent, now: float) -> list[AgentEvent]:
        """Add an event. Returns the events that are ready, in order."""
        if not isinstance(event, OutputText | ThinkingText):
            return [*self._close_all(event.agent), event]
        place = _place(event)
        out = [
            output
            for other in [p for p in self._open if p[0] == event.agent and p != place]
            for output in self._close(other)
        ]
        if not event.chunk:
            return [*out, *self._final(place, event)]
        for piece in _cut(event.text, MAX_CHUNK_BYTES):
            out += self._chunk(place, event.model_copy(update={"text": piece}), now)
        return out

    def tick(self, now: float) -> list[AgentEvent]:
        """Return the events that are due at `now`."""
        out: list[AgentEvent] = []
        for item in self._open.values():
            if item.waiting and now >= item.since + FLUSH_INTERVAL_SECONDS:
                out += self._flush(item)
            if item.texts and now >= item.began + MAX_UNSENT_SECONDS:
                out += self._keep(item)
        return out

    def due(self) -> float | None:
        """Return the time at which `tick` will have events, or None."""
        times = [i.since + FLUSH_INTERVAL_SECONDS for i in self._open.values() if i.waiting]
        times += [i.began + MAX_UNSENT_SECONDS for i in self._open.values() if i.texts]
        return min(times, default=None)

    def close(self) -> list[AgentEvent]:
        """Return all remaining events."""
        return [event for place in list(self._open) for event in self._close(place)]

    def _chunk(self, place: Place, event: Text, now: float) -> list[AgentEvent]:
        size = len(event.text.encode(errors="surrogatepass"))
        item = self._open.get(place) or self._shut.pop(place, None) or OpenItem(event, now)
        self._open[place] = item
        out: list[AgentEvent] = []
        if item.weight + size > MAX_CHUNK_BYTES:
            out += self._flush(item)
        if item.size + size > MAX_PART_BYTES:
            out += self._keep(item)
        if not item.waiting:
            item.since = now
        if not item.texts:
            item.began = now
        item.waiting.append(event.text)
        item.texts.append(event.text)
        item.weight += size
        item.size += size
        return [*out, *self._flush(item)] if item.weight >= MAX_CHUNK_BYTES else out

    def _flush(self, item: OpenItem) -> list[AgentEvent]:
        text, item.waiting, item.weight = "".join(item.waiting), [], 0
        return [item.like.model_copy(update={"text": text, "chunk": True, "part": item.part})] if text else []

    def _keep(self, item: OpenItem) -> list[AgentEvent]:
        out = self._flush(item)
        text, item.texts, item.size = "".join(item.texts), [], 0
        if text:
            out.append(item.like.model_copy(update={"text": text, "chunk": False, "part": item.part}))
            item.kept += len(text)
            item.digest.update(text.encode(errors="surrogatepass"))
            item.part += 1
        return out

    def _final(self, place: Place, event: Text) -> list[AgentEvent]:
        """Take the whole text of an item. It replaces the chunks if it differs from them."""
        item = self._open.pop(place, None) or self._shut.pop(place, None) or OpenItem(event, 0.0)
        out = self._flush(item)
        kept = sha256(event.text[: item.kept].encode(errors="surrogatepass"))
        goes_on = len(event.text) >= item.kept and kept.digest() == item.digest.digest()
        rest, part = (event.text[item.kept :], item.part) if goes_on else (event.text, 0)
        if not rest and goes_on:
            return out
        parts = enumerate(_cut(rest, MAX_PART_BYTES), part)
        return [
            *out,
            *(event.model_copy(update={"text": text, "chunk": False, "part": n}) for n, text in parts),
        ]

    def _close(self, place: Place) -> list[AgentEvent]:
        item = self._shut[place] = self._open.pop(place)
        while len(self._shut) > MAX_CLOSED_ITEMS:
            del self._shut[next(iter(self._shut))]
        return self._keep(item)

    def _close_all(self, agent: str) -> list[AgentEvent]:
        return [event for place in [p for p in self._open if p[0] == agent] for event in self._close(place)]


def _place(event: Text) -> Place:
    stream = event.stream + event.tool if isinstance(event, OutputText) else ""
    return event.agent, f"{event.type}{stream}", event.item


def _cut(text: str, size: int) -> Iterator[str]:
    """Cut text into pieces of at most `size` bytes, at character boundaries."""
    if len(text) * 4 <= size:
        yield text
        return
    at = 0
    while at < len(text):
        end = min(len(text), at + size)
        while len(text[at:end].encode(errors="surrogatepass")) > size:
            end = at + max(1, (end - at) * size // len(text[at:end].encode(errors="surrogatepass")))
        yield text[at:end]
        at = end
