"""Load what gates judge by, and refuse steps whose gate is closed.

The number of statements is fixed for any number of cards."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select

from kit.db.transaction import Transaction
from models.approval import Approval, ApprovalKind, ApprovalStatus
from models.card import Card
from models.check import Check, CheckKind, CheckStatus
from models.gate import CHECKED, CardWork, GateClosed, GateReason, gate_reasons
from models.policy import BoardPolicy, board_policy_of
from models.run import Run, RunKind, RunStatus

Read = Callable[[Any], Awaitable[Sequence[Any]]]
WORK_KINDS = (RunKind.CODE, RunKind.INTEGRATE, RunKind.DOCUMENT)  # kinds of runs that leave commits
PROTECTED_KEY = "protected_paths"  # of a run's result: the protected paths that it changed
STEPS = (ApprovalKind.MERGE, ApprovalKind.PLAN)  # steps that are moves of a card


def is_work() -> ColumnElement[bool]:
    """Whether a run leaves commits: an INTEGRATE run only if its agent did, not if it worked a task of a branch."""
    return Run.kind.in_(WORK_KINDS) & ((Run.kind != RunKind.INTEGRATE) | Run.outcome.is_not(None))


async def load_works(read: Read, card_ids: Sequence[str]) -> dict[str, CardWork]:
    """Load the work that stands on each card: of the newest run that succeeded, or of one chosen since."""
    newest = func.coalesce(Run.chosen_at, Run.queued_at).desc(), Run.id.desc()
    ranked = (
        select(
            Run.card_id,
            Run.id,
            Run.head_sha,
            Run.permission,
            Run.result[PROTECTED_KEY].as_string().is_not(None).label("touches"),
            func.row_number().over(partition_by=Run.card_id, order_by=newest).label("place"),
        )
        .where(Run.card_id.in_(card_ids), is_work(), Run.status == RunStatus.SUCCEEDED)
        .subquery()
    )
    rows = await read(select(ranked).where(ranked.c.place == 1))
    return {
        row.card_id: CardWork(row.id, row.head_sha or "", row.permission, bool(row.touches)) for row in rows
    }


async def _load_plans(read: Read, card_ids: Sequence[str]) -> dict[str, str]:
    """Load the newest run that planned each card."""
    query = select(Run.card_id, func.max(Run.id).label("id")).group_by(Run.card_id)
    planned = Run.card_id.in_(card_ids), Run.kind == RunKind.PLAN, Run.status == RunStatus.SUCCEEDED
    return {row.card_id: row.id for row in await read(query.where(*planned))}


async def _load_statuses(
    read: Read, heads: Mapping[str, str]
) -> dict[str, dict[tuple[CheckKind, str], CheckStatus]]:
    """Load the statuses of the checks of one commit of each card."""
    columns = Check.card_id, Check.sha, Check.kind, Check.name, Check.status
    query = select(*columns).where(Check.card_id.in_(heads), Check.sha.in_(set(heads.values())))
    statuses: dict[str, dict[tuple[CheckKind, str], CheckStatus]] = {}
    for row in await read(query):
        if row.sha == heads[row.card_id]:
            statuses.setdefault(row.card_id, {})[row.kind, row.name] = row.status
    return statuses


async def _load_decisions(read: Read, card_ids: Sequence[str]) -> dict[str, list[Any]]:
    columns = (
        *(Approval.card_id, Approval.kind, Approval.status, Approval.head),
        *(Approval.subject, Approval.decided_as),
    )
    decided = Approval.status.in_([ApprovalStatus.APPROVED, ApprovalStatus.REJECTED])
    query = select(*columns).where(Approval.card_id.in_(card_ids), decided)
    decisions: dict[str, list[Any]] = {}
    for row in await read(query.order_by(Approval.decided_at, Approval.id)):
        decisions.setdefault(row.card_id, []).append(row)
    return decisions


async def load_gates(
    read: Read, boards: Mapping[str, Any], cards: Sequence[Any], kinds: Sequence[ApprovalKind] = STEPS
) -> dict[str, dict[ApprovalKind, list[GateReason]]]:
    """Load the reasons against steps of each card on a board with gates. A card without work may be done."""
    policies = {id: board_policy_of(board.policy) for id, board in boards.items()}
    gated = [card for card in cards if policies[card.board_id].has_gates]
    if not gated:
        return {}
    ids = [card.id for card in gated]
    works = await load_works(read, ids)
    statuses = await _load_statuses(read, {id: work.head for id, work in works.items()})
    decisions = await _load_decisions(read, ids)
    needs_plan = any(
        one.kind is ApprovalKind.PLAN for card in gated for one in policies[card.board_id].approvals
    )
    plans = await _load_plans(read, ids) if needs_plan and ApprovalKind.PLAN in kinds else {}
    gates: dict[str, dict[ApprovalKind, list[GateReason]]] = {}
    for card in gated:
        work = works.get(card.id)
        for kind in kinds:
            if work is None and kind in CHECKED:
                continue  # nothing was made that could be merged
            head = plans.get(card.id, "") if kind is ApprovalKind.PLAN else work.head if work else ""
            gates.setdefault(card.id, {})[kind] = gate_reasons(
                policies[card.board_id],
                kind,
                head,
                work,
                statuses.get(card.id, {}),
                decisions.get(card.id, []),
                is_strict=False,
            )
    return gates


async def require_open_gate(
    tx: Transaction,
    policy: BoardPolicy,
    card: Card,
    kind: ApprovalKind,
    head_sha: str,
    *,
    subject: str = "",
) -> None:
    """Raise GateClosed unless a step may be taken for a commit of a card. The caller holds the card's board.

    The required checks must have passed for that commit, and required approvals must be given for it.
    """

    async def read(query: Any) -> Sequence[Any]:
        return (await tx.execute(query)).all()

    await tx.flush()
    works = await load_works(read, [card.id])
    statuses = await _load_statuses(read, {card.id: head_sha})
    decisions = await _load_decisions(read, [card.id])
    reasons = gate_reasons(
        policy,
        kind,
        head_sha,
        works.get(card.id),
        statuses.get(card.id, {}),
        decisions.get(card.id, []),
        subject=subject,
    )
    if reasons:
        raise GateClosed(kind, head_sha, reasons)


async def load_head(read: Read, card_id: str, kind: ApprovalKind) -> tuple[str, str | None]:
    """Return the head that an approval is bound to, and the run that made it: a commit, or for PLAN that run."""
    if kind is ApprovalKind.PLAN:
        plan = (await _load_plans(read, [card_id])).get(card_id)
        return plan or "", plan
    work = (await load_works(read, [card_id])).get(card_id)
    return (work.head, work.run_id) if work is not None else ("", None)
