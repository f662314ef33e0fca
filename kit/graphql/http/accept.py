"""Which form of answer the client prefers: the Accept header, read by weight and order.

Clients list what they could take, not only what they want: urql names text/event-stream in every
query. So a stream is chosen only when it is the first choice.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import HTTPConnection

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
STREAM = "text/event-stream"
MULTIPART = "multipart/mixed"

MAX_HEADER_LENGTH = 1_000  # characters of a header that are read
# One media range: quoted parameters may hold commas and semicolons.
RANGE = re.compile(r'(?:[^,"]|"[^"]*")+')
PARAMETER = re.compile(r';\s*([\w-]+)\s*=\s*("[^"]*"|[^;]*)')


@dataclass(frozen=True)
class Media:
    """One media range of an Accept header, lower case, without its weight."""

    type: str
    parameters: dict[str, str]


def parse_accept(accept: str) -> tuple[Media, ...]:
    """Return what `accept` names, best first: by weight, then by order. Weight 0 is left out."""
    return _read(accept[:MAX_HEADER_LENGTH])  # cut before it is remembered: a header may be of any length


@lru_cache(maxsize=256)
def _read(accept: str) -> tuple[Media, ...]:
    found: list[tuple[float, Media]] = []
    for part in RANGE.findall(accept):
        name, _, rest = part.partition(";")
        values = {k.lower(): v.strip().strip("\"'") for k, v in PARAMETER.findall(f";{rest}")}
        weight = _weight(values.pop("q", "1"))
        if weight > 0:
            found.append((weight, Media(name.strip().lower(), values)))
    return tuple(media for _, media in sorted(found, key=lambda pair: -pair[0]))


def _weight(text: str) -> float:
    try:
        return min(float(text), 1.0)
    except ValueError:
        return 0.0


def preferred(accept: str) -> Media | None:
    """Return the client's first choice, or None when it names nothing."""
    return next(iter(parse_accept(accept)), None)


def prefers_graphql(accept: str) -> bool:
    """Whether application/graphql-response+json comes before application/json or a wildcard."""
    known = {JSON: False, GRAPHQL: True, "*/*": False, "application/*": False}
    return next((known[m.type] for m in parse_accept(accept) if m.type in known), False)


def header(request: HTTPConnection) -> str:
    return str(request.headers.get("accept", ""))


def of(request: HTTPConnection) -> bool:
    """Whether the sender of `request` prefers application/graphql-response+json."""
    return prefers_graphql(header(request))
