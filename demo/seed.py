"""Creates the demo workspace: a few people, and three boards about building this software.

Data is created by the actions that clients call, and cards reach their stages by lawful moves; existing data is
left alone. The people's password is public, so the data must be served to this machine only.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

from sqlalchemy import Executable, or_, select

from actions.account import OWNER, ensure_owner, register
from actions.board import create_board, update_column
from actions.card import create_card, move_card, set_parent_card
from actions.label import create_label
from actions.labels_and_assignees import add_label, assign_card
from actions.link import link_cards
from actions.member import add_member
from actions.message import post_message
from actions.move import DestinationInput
from actions.ordering import PositionInput
from actions.policy import update_board_policy
from actions.profile import create_agent_profile
from actions.subtask import NewSubtask, add_subtasks
from actions.workspace import create_workspace
from auth.passwords import check_password
from demo.samples import BOARDS, Sample, Sampler
from kit.db.database import utcnow
from kit.db.transaction import Author, Transaction
from kit.graphql.arguments import Some
from models.account import User
from models.actor import Actor, ActorKind
from models.board import Board, BoardColumn
from models.stage import Stage
from models.workspace import Label, Membership, Role, Workspace

WORKSPACE = "Signalbox demo"
PASSWORD = "signalbox-demo"  # noqa: S105 - used by the demo's people only
PEOPLE = {
    "robin": ("Robin", "Okafor", Role.ADMIN),
    "ada": ("Ada", "Lindqvist", Role.MEMBER),
    "kim": ("Kim", "Tanaka", Role.MEMBER),
    "vera": ("Vera", "Costa", Role.VIEWER),
}
LABELS = {
    "api": "#2563EB",
    "database": "#059669",
    "feed": "#7C3AED",
    "interface": "#DB2777",
    "reliability": "#DC2626",
    "good first task": "#65A30D",
}
WAY = {  # stages on the way to a stage
    Stage.BACKLOG: [],
    Stage.PLAN: [Stage.PLAN],
    Stage.TODO: [Stage.TODO],
    Stage.IN_PROGRESS: [Stage.TODO, Stage.IN_PROGRESS],
    Stage.REVIEW: [Stage.TODO, Stage.IN_PROGRESS, Stage.REVIEW],
    Stage.DONE: [Stage.TODO, Stage.IN_PROGRESS, Stage.REVIEW, Stage.DONE],
}
SEEDED_KEY = select(Workspace.id).where(Workspace.name == WORKSPACE).limit(1)  # finds the demo's workspace
SUSPECTS = 100  # users checked; a check takes about 26 ms
Begin = Callable[[Author], AbstractAsyncContextManager[Transaction]]
Read = Callable[[Executable], Awaitable[Sequence[Any]]]


async def seed(begin: Begin, password_hash: str) -> list[str]:
    """Create missing data. Returns the names of the created boards; none on a second call."""
    made = []
    async with begin(Author(ActorKind.SYSTEM)) as tx:
        workspace_id, is_new = await _workspace(tx, password_hash)
    made += [WORKSPACE] * is_new
    for sampler in BOARDS:
        async with begin(Author(ActorKind.SYSTEM)) as tx:
            people = await _people(tx)
            tx.author = Author(ActorKind.USER, people[sampler.by].id)
            board_id = select(Board.id).where(Board.workspace_id == workspace_id, Board.key == sampler.key)
            if await tx.scalar(board_id) is None:
                await _board(tx, workspace_id, people, sampler)
                made.append(sampler.name)
    return made


async def with_known_password(read: Read) -> list[str]:
    """Return the users who can sign in with the public password, renamed ones too."""
    members = select(Membership.user_id).join(Workspace, Workspace.id == Membership.workspace_id)
    of_demo = User.username.in_(PEOPLE), User.id.in_(members.where(Workspace.name == WORKSPACE))
    query = select(User.username, User.password_hash).where(or_(*of_demo), User.is_active)
    rows = await read(
        query.order_by(User.id).limit(SUSPECTS)
    )  # the oldest users first, as the demo's people are
    fits = {hash: (await check_password(PASSWORD, hash))[0] for hash in {row.password_hash for row in rows}}
    return sorted(row.username for row in rows if fits[row.password_hash])


async def demo_admin(tx: Transaction) -> str | None:
    """Return the id of the longest-serving admin of the demo's workspace."""
    query = select(Membership.user_id).join(Workspace, Workspace.id == Membership.workspace_id)
    query = query.join(User, User.id == Membership.user_id)
    admins = Workspace.name == WORKSPACE, Membership.role == Role.ADMIN, User.is_active
    return await tx.scalar(query.where(*admins).order_by(Membership.id).limit(1))


async def _people(tx: Transaction) -> dict[str, Actor]:
    query = select(User.username, User.id).where(User.username.in_(PEOPLE))
    return {name: Actor(ActorKind.USER, id) for name, id in await tx.execute(query)}


async def _workspace(tx: Transaction, password_hash: str) -> tuple[str, bool]:
    """Create the workspace with its people and labels. The first owner becomes an admin."""
    owner = await ensure_owner(tx)
    demo_id = await tx.scalar(select(Workspace.id).where(Workspace.name == WORKSPACE))
    if demo_id is not None:
        owner_membership = (
            Membership.workspace_id == demo_id,
            Membership.user_id == (owner.id if owner else ""),
        )
        if owner is not None and await tx.scalar(select(Membership.id).where(*owner_membership)) is None:
            robin = (await _people(tx))["robin"]
            await add_member(tx, robin, workspace_id=demo_id, username=OWNER, role=Role.ADMIN)
        return demo_id, False
    for name in PEOPLE.keys() - await _people(tx):
        first, last, _ = PEOPLE[name]
        await register(
            tx, {"username": name, "first_name": first, "last_name": last}, password_hash, is_open=True
        )
    people = await _people(tx)
    admin = owner or people["robin"]
    tx.author = Author(ActorKind.USER, admin.id)
    workspace = await create_workspace(tx, admin, name=WORKSPACE)
    for name, (_, _, role) in PEOPLE.items():
        if people[name].id != admin.id:
            await add_member(tx, admin, workspace_id=workspace.id, username=name, role=role)
    for name, colour in LABELS.items():
        await create_label(tx, admin, workspace_id=workspace.id, name=name, colour=colour)
    return workspace.id, True


async def _board(tx: Transaction, workspace_id: str, people: dict[str, Actor], sampler: Sampler) -> None:
    actor = people[sampler.by]
    board = await create_board(
        tx,
        actor,
        workspace_id=workspace_id,
        name=sampler.name,
        key=sampler.key,
        template=sampler.template,
        description=sampler.text,
        auto_dispatch=False,  # its cards pass through TODO
    )
    query = select(Label.name, Label.id).where(Label.workspace_id == workspace_id)
    labels = dict((await tx.execute(query)).all())
    cards = [await _card(tx, actor, board, people, labels, sample) for sample in sampler.cards]
    for card, parent in sampler.parents:
        await set_parent_card(tx, actor, id=cards[card - 1], parent_id=cards[parent - 1])
    for card, target, kind in sampler.links:
        await link_cards(tx, actor, card_id=cards[card - 1], target_id=cards[target - 1], kind=kind)
    for stage, limit in sampler.limits.items():
        column = await tx.scalar(
            select(BoardColumn.id).where(BoardColumn.board_id == board.id, BoardColumn.stage == stage)
        )
        assert column is not None, "the board's template has a column of that stage"
        await update_column(tx, actor, id=column, wip_limit=Some(limit))
    if sampler.profile is not None:
        profile = await create_agent_profile(tx, actor, workspace_id=workspace_id, **sampler.profile)
        await update_board_policy(tx, actor, board_id=board.id, agent_profile_id=Some(profile.id))


async def _card(
    tx: Transaction,
    actor: Actor,
    board: Board,
    people: dict[str, Actor],
    labels: dict[str, str],
    sample: Sample,
) -> str:
    more = dict(sample.more)
    if (days := more.pop("due", None)) is not None:
        more["due_on"] = (utcnow() + timedelta(days=days)).date()
    card = await create_card(
        tx,
        actor,
        board_id=board.id,
        title=sample.title,
        description=sample.text,
        position=PositionInput(top=True) if sample.on_top else None,
        **more,
    )
    for name in filter(None, sample.labels.split(", ")):
        await add_label(tx, actor, card_id=card.id, label_id=labels[name])
    for name in sample.who.split():
        await assign_card(tx, actor, card_id=card.id, user_id=people[name].id)
    steps = []
    for step in sample.steps:
        phase, _, title = step.removeprefix("x ").rpartition(": ")
        steps.append(NewSubtask(title, phase=phase or None, completed=step.startswith("x ")))
    if steps:
        await add_subtasks(tx, actor, card.id, steps)
    for name, body in sample.comments:
        await post_message(tx, people[name], card_id=card.id, body=body)
    stages = set(await tx.scalars(select(BoardColumn.stage).where(BoardColumn.board_id == board.id)))
    for stage in WAY[sample.stage]:
        if stage in stages:
            await move_card(tx, actor, id=card.id, destination=DestinationInput(stage=stage))
    return card.id
