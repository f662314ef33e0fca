"""Finding anything by its id: the prefix names the loader."""

import asyncio
from typing import Annotated, Any

from strawberry import ID

from kit.ids import prefix_of
from models.refusal import Invalid
from resolvers.agent_session import SESSION
from resolvers.batch import BATCH
from resolvers.board import BOARD, COLUMN
from resolvers.card import CARD
from resolvers.context import Info
from resolvers.key import API_KEY
from resolvers.link import LINK
from resolvers.loaders import Relation
from resolvers.message import MESSAGE
from resolvers.notice import NOTIFICATION
from resolvers.profile import PROFILE
from resolvers.question import QUESTION
from resolvers.run import RUN
from resolvers.subtask import SUBTASK
from resolvers.worker import WORKER
from resolvers.workspace import LABEL, MEMBERSHIP, USER, WORKSPACE

MAX_IDS = 100  # ids at once

LINKS: dict[str, Relation] = {
    "workspace": WORKSPACE,
    "membership": MEMBERSHIP,
    "user": USER,
    "key": API_KEY,
    "label": LABEL,
    "board": BOARD,
    "column": COLUMN,
    "card": CARD,
    "link": LINK,
    "subtask": SUBTASK,
    "message": MESSAGE,
    "run": RUN,
    "batch": BATCH,
    "question": QUESTION,
    "profile": PROFILE,
    "worker": WORKER,
    "notice": NOTIFICATION,
    "chat": SESSION,
}


async def node(info: Info, id: Annotated[ID, "The id of anything."]) -> Any:
    """Anything by its id, or null where there is nothing of that id that you may see."""
    link = LINKS.get(prefix_of(id) or "")
    return await info.context.load(link, id) if link else None


async def nodes(info: Info, ids: Annotated[list[ID], "Up to 100 ids, of any types."]) -> Any:
    """Several things by their ids, in the same order, null for what is not there."""
    if len(ids) > MAX_IDS:
        raise Invalid(("ids", f"takes at most {MAX_IDS}"))
    return await asyncio.gather(*(node(info, id) for id in ids))  # together, so each type is one statement
