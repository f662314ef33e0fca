"""Changes to the answer rules of a board. Only admins make them, because their answers need no person."""

from collections.abc import Sequence
from typing import Annotated, Any

from sqlalchemy import func, select

from actions import validation
from actions.changes import apply_changes
from actions.ordering import LastRanks, Position, rank_for
from auth.locking import lock_answer_rule, lock_board
from kit.db.transaction import Transaction
from kit.graphql.arguments import Id, IfVersion, Maybe, provided_fields
from kit.ids import new_id
from models.actor import Actor
from models.answer_rule import (
    CONDITIONS,
    MAX_ANSWER_RULES,
    MAX_PATTERN_LENGTH,
    MAX_RULE_LABELS,
    AnswerRule,
)
from models.board import Board
from models.card import CardType
from models.events.answer_rule import (
    AnswerRuleCreated,
    AnswerRuleDeleted,
    AnswerRuleMoved,
    AnswerRuleUpdated,
)
from models.question import MAX_ANSWER_LENGTH, MAX_OPTIONS, QuestionType
from models.refusal import Conflict, Invalid, NotFound
from models.run import RunKind
from models.stage import Stage
from models.workspace import Label


async def create_answer_rule(
    tx: Transaction,
    actor: Actor,
    *,
    board_id: Annotated[Id, "The board. It has at most 100 rules."],
    name: Annotated[str, "1 to 100 characters."],
    pattern: Annotated[
        str,
        "Text that the question contains, or, with a `*` for any text, that it is like as a whole; at most 500"
        " characters. Case and white space do not matter. Empty: any text.",
    ] = "",
    question_types: Annotated[list[QuestionType] | None, "Only these forms of answers; default: all."] = None,
    run_kinds: Annotated[list[RunKind] | None, "Only questions of these kinds of runs; default: all."] = None,
    card_types: Annotated[list[CardType] | None, "Only about these types of cards; default: all."] = None,
    stages: Annotated[list[Stage] | None, "Only about cards in these stages; default: all."] = None,
    label_ids: Annotated[
        list[Id] | None, "Only about cards with one of these labels, at most 20; default: all."
    ] = None,
    answer: Annotated[
        list[str] | None,
        "Labels of options, other text last; at most 12. Default: the options that the agent recommends.",
    ] = None,
    enabled: Annotated[bool, "Whether it answers. `testAnswerRule` also tries a rule that does not."] = True,
    position: Position = None,
) -> AnswerRule:
    """Create a rule that answers questions of the board's agents. The first rule that matches wins.

    A rule needs a condition. It matches only a question that accepts its answer. No rule answers a request for
    permission, or a question about a CRITICAL card or of a run whose permission is HUMAN_REQUIRED. Raises Conflict
    if the board has 100 rules.
    """
    board = await lock_board(tx, actor, board_id, admin=True)
    count = select(func.count()).select_from(AnswerRule).where(AnswerRule.board_id == board.id)
    if (await tx.scalar(count) or 0) >= MAX_ANSWER_RULES:
        raise Conflict(f"A board has at most {MAX_ANSWER_RULES} answer rules", board.id)
    given = {
        "name": name,
        "pattern": pattern,
        "question_types": question_types or [],
        "run_kinds": run_kinds or [],
        "card_types": card_types or [],
        "stages": stages or [],
        "label_ids": label_ids or [],
        "answer": answer,
        "enabled": enabled,
    }
    clean = _validate(given)
    await _check_labels(tx, board, clean)
    _require_condition(clean)
    rank = await rank_for(tx, AnswerRule, AnswerRule.board_id == board.id, None, position)
    rule = AnswerRule(id=new_id("rule"), board_id=board.id, rank=rank, version=1, **clean)
    tx.add(rule)
    tx.emit(board, AnswerRuleCreated(**_facts(rule)))
    await tx.flush()
    return rule


async def update_answer_rule(
    tx: Transaction,
    actor: Actor,
    *,
    id: Annotated[Id, "The rule."],
    name: Annotated[Maybe[str], "1 to 100 characters."] = None,
    pattern: Annotated[Maybe[str], "The pattern of the text; empty: any text."] = None,
    question_types: Annotated[Maybe[list[QuestionType]], "The forms of answers; empty: all."] = None,
    run_kinds: Annotated[Maybe[list[RunKind]], "The kinds of runs; empty: all."] = None,
    card_types: Annotated[Maybe[list[CardType]], "The types of cards; empty: all."] = None,
    stages: Annotated[Maybe[list[Stage]], "The stages of cards; empty: all."] = None,
    label_ids: Annotated[Maybe[list[Id]], "Labels of which the card has one; empty: any card."] = None,
    answer: Annotated[
        Maybe[list[str] | None], "The answer; null: the options that the agent recommends."
    ] = None,
    enabled: Annotated[Maybe[bool], "Whether it answers."] = None,
    if_version: IfVersion = None,
) -> AnswerRule:
    """Change an answer rule. Fields that are left out keep their values. Raises Stale.

    Answers that it gave stay.
    """
    board, rule = await lock_answer_rule(tx, actor, id)
    rule.expect(if_version)
    given = provided_fields(
        name=name,
        pattern=pattern,
        question_types=question_types,
        run_kinds=run_kinds,
        card_types=card_types,
        stages=stages,
        label_ids=label_ids,
        answer=answer,
        enabled=enabled,
    )
    clean = _validate(given)
    await _check_labels(tx, board, clean)
    _require_condition({field: clean.get(field, getattr(rule, field)) for field in CONDITIONS})
    changes = apply_changes(rule, clean)
    if changes:
        tx.emit(board, AnswerRuleUpdated(**_facts(rule), changes=changes))
    return rule


async def move_answer_rule(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The rule."], position: Position = None
) -> AnswerRule:
    """Move an answer rule among those of its board."""
    board, rule = await lock_answer_rule(tx, actor, id)
    lane = AnswerRule.board_id == board.id
    rule.rank = await rank_for(tx, AnswerRule, lane, rule.id, position)
    rule.version += 1
    tx.emit(board, AnswerRuleMoved(**_facts(rule)))
    await tx.flush()
    return rule


async def delete_answer_rule(
    tx: Transaction, actor: Actor, *, id: Annotated[Id, "The rule."], if_version: IfVersion = None
) -> AnswerRule:
    """Delete an answer rule. Returns it as it was; the answers that it gave stay. Raises Stale."""
    board, rule = await lock_answer_rule(tx, actor, id)
    rule.expect(if_version)
    await tx.delete(rule)
    tx.emit(board, AnswerRuleDeleted(**_facts(rule)))
    await tx.flush()
    return rule


def _validate(given: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a rule, normalized. Raises Invalid."""
    clean = dict(given)
    if "name" in clean:
        clean["name"] = validation.single_line("name", clean["name"], 100)
    if "pattern" in clean:
        clean["pattern"] = validation.single_line("pattern", clean["pattern"], MAX_PATTERN_LENGTH, least=0)
    for name, path, most in (
        ("question_types", "questionTypes", len(QuestionType)),
        ("run_kinds", "runKinds", len(RunKind)),
        ("card_types", "cardTypes", len(CardType)),
        ("stages", "stages", len(Stage)),
        ("label_ids", "labelIds", MAX_RULE_LABELS),
    ):
        if name in clean:
            validation.distinct(path, validation.at_most(path, clean[name], most, least=0))
    if clean.get("answer") is not None:
        texts = validation.at_most("answer", clean["answer"], MAX_OPTIONS)
        clean["answer"] = [
            validation.multiline(f"answer.{place}", text, MAX_ANSWER_LENGTH, least=1)
            for place, text in enumerate(texts)
        ]
        validation.distinct("answer", clean["answer"])
    return clean


async def _check_labels(tx: Transaction, board: Board, clean: dict[str, Any]) -> None:
    """Raise NotFound unless the labels are of the board's workspace."""
    if ids := clean.get("label_ids"):
        query = select(Label.id).where(Label.workspace_id == board.workspace_id, Label.id.in_(ids))
        known = set(await tx.scalars(query))
        for id in ids:
            if id not in known:
                raise NotFound(id)


async def add_first_rules(tx: Transaction, board: Board, rules: Sequence[dict[str, Any]]) -> None:
    """Add rules to a new board that the caller holds, in order; their labels are of its workspace."""
    if len(rules) > MAX_ANSWER_RULES:
        raise Conflict(f"A board has at most {MAX_ANSWER_RULES} answer rules", board.id)
    ranks, lane = LastRanks(tx, AnswerRule, new=True), AnswerRule.board_id == board.id
    for place, given in enumerate(rules):
        clean = _validate(given)
        _require_condition(clean)
        rank = await ranks.next(board.id, lambda: lane, len(rules) - place)
        rule = AnswerRule(id=new_id("rule"), board_id=board.id, rank=rank, version=1, **clean)
        tx.add(rule)
        tx.emit(board, AnswerRuleCreated(**_facts(rule)))


def _require_condition(fields: dict[str, Any]) -> None:
    if not any(fields[name] for name in CONDITIONS):
        raise Invalid(("pattern", "or another condition must be given: a rule does not answer everything"))


def _facts(rule: AnswerRule) -> Any:
    return {"rule_id": rule.id, "name": rule.name, "rank": rule.rank}
