"""How whoever did something is named: also those who have left since."""

from typing import Any

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

SYSTEM = "Signalbox"
GONE = "Somebody who left"
AGENT = "Agent"
PROGRAMS = {
    AgentProgram.CLAUDE_CODE: "Claude Code",
    AgentProgram.CODEX: "Codex",
    AgentProgram.GEMINI: "Gemini",
    AgentProgram.OPENCODE: "OpenCode",
}

# Who acted is named by a row that was seen; nothing but the name is read of them.
USER_NAME = Relation(select(User.id, User.username, User.nickname), User.id, lambda actor: true(), alike=True)
RUN_NAME = Relation(
    select(Run.id, Run.executor, AgentProfile.name).outerjoin(
        AgentProfile, AgentProfile.id == Run.profile_id
    ),
    Run.id,
    lambda actor: true(),
    alike=True,
)
KEY_NAME = Relation(select(ApiKey.id, ApiKey.name), ApiKey.id, lambda actor: true(), alike=True)


@viewer_independent
async def name_of_actor(root: Parent[Any], info: Info) -> str:
    """The name to show: a person's, a key's, that of an agent's profile or program, or Signalbox for the system."""
    if root.actor_id is None:
        return SYSTEM
    if root.kind is ActorKind.USER:
        user = await info.context.load(USER_NAME, root.actor_id)
        return public(user) if user else GONE
    if prefix_of(root.actor_id) == "run":
        run = await info.context.load(RUN_NAME, root.actor_id)
        return str(run.name or PROGRAMS.get(run.executor, AGENT)) if run else AGENT
    key = await info.context.load(KEY_NAME, root.actor_id)
    return str(key.name) if key else GONE


async def user_of_actor(root: Parent[Any], info: Info) -> Any:
    """The person, if it is one that you may still see."""
    if root.actor_id is None or root.kind is not ActorKind.USER:
        return None
    return await info.context.load(USER, root.actor_id)
