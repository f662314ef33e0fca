"""Names of actors, including those that no longer exist."""

from typing import Protocol

from sqlalchemy import select, true
from strawberry import Parent

from kit.ids import prefix_of
from models.account import ApiKey, User, public
from models.actor import ActorKind
from models.run import Run
from models.worker import AgentProfile, AgentProgram
from resolvers.context import Info
from resolvers.loaders import Relation, viewer_independent
from resolvers.workspace import USER

SYSTEM_NAME = "Signalbox"
DELETED_NAME = "Deleted actor"
AGENT_NAME = "Agent"
PROGRAM_NAMES = {
    AgentProgram.CLAUDE_CODE: "Claude Code",
    AgentProgram.CODEX: "Codex",
    AgentProgram.GEMINI: "Gemini",
    AgentProgram.OPENCODE: "OpenCode",
}

# An actor is read by the id in a row that the caller has read; only its name is read.
USER_NAME = Relation(
    select(User.id, User.username, User.nickname), User.id, lambda actor: true(), viewer_independent=True
)
RUN_NAME = Relation(
    select(Run.id, Run.executor, AgentProfile.name).outerjoin(
        AgentProfile, AgentProfile.id == Run.profile_id
    ),
    Run.id,
    lambda actor: true(),
    viewer_independent=True,
)
KEY_NAME = Relation[ApiKey | None](
    select(ApiKey.id, ApiKey.name), ApiKey.id, lambda actor: true(), viewer_independent=True
)


class ActorRef(Protocol):
    """An actor as events and rows name it."""

    kind: ActorKind
    actor_id: str | None


@viewer_independent
async def name_of_actor(root: Parent[ActorRef], info: Info) -> str:
    """Display name: of the person or the key, of the agent's profile or program, or Signalbox for the system."""
    if root.actor_id is None:
        return SYSTEM_NAME
    if root.kind is ActorKind.USER:
        user = await info.context.load(USER_NAME, root.actor_id)
        return public(user) if user else DELETED_NAME
    if prefix_of(root.actor_id) == "run":
        run = await info.context.load(RUN_NAME, root.actor_id)
        return str(run.name or PROGRAM_NAMES.get(run.executor, AGENT_NAME)) if run else AGENT_NAME
    key = await info.context.load(KEY_NAME, root.actor_id)
    return str(key.name) if key else DELETED_NAME


async def user_of_actor(root: Parent[ActorRef], info: Info) -> User | None:
    """The person, if you may see it; null for a key, a run or the system."""
    if root.actor_id is None or root.kind is not ActorKind.USER:
        return None
    return await info.context.load(USER, root.actor_id)
