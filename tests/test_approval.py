"""Approvals and gates: given once, by who may, for one commit; and what they keep shut until then."""

import asyncio

import pytest

from tests.board import card, do, told
from tests.test_check import UNIT, report, result
from tests.test_law_paths import columns
from tests.test_profile import make
from tests.work import hand, queued, set_policy

SHA, OTHER = "a" * 40, "b" * 40
APPROVAL = (
    """... on Approval { id kind status head stale note decidedAs decidedBy { username } run { id } }"""
)
INBOX = """query($filter: ApprovalFilter) { approvals(first: 50, filter: $filter) {
  nodes { id kind status board { id } } } }"""
GATE = "query($id: ID!, $kind: ApprovalKind) { card(id: $id) { gate(kind: $kind) { code name } } }"
MERGE = {"kind": "MERGE", "by": "PERSON"}


async def reviewed(app, policy=None, sha=SHA, files=(), **input):
    """A board, its card in REVIEW, its worker and the run that did it."""
    board, [id] = await app.has_board("Paint")
    if policy:
        await set_policy(app, board, **policy)
    worker = await hand(app, executors=["SCRIPTED", "CODEX"])
    made = await queued(app, id, **input)
    await worker.take()
    done = await worker.complete(made, branch="signalbox/x", headSha=sha, files=list(files))
    assert done["card"]["stage"] == "REVIEW", done
    return board, id, worker, made


async def request(app, id, kind="MERGE", actor="", **input):
    return await do(app, "requestApproval", APPROVAL, actor, cardId=id, kind=kind, **input)


async def decide(app, id, approve=True, actor="", **input):
    return await do(app, "decideApproval", APPROVAL, actor, id=id, approve=approve, **input)


async def gate(app, id, kind="MERGE"):
    return [reason["code"] for reason in (await app.data(GATE, id=id, kind=kind))["gate"]]


async def move(app, id, stage="DONE", actor=""):
    moved = await do(app, "moveCard", actor=actor, id=id, destination={"stage": stage})
    return moved["__typename"] if "reasons" not in moved else [reason["code"] for reason in moved["reasons"]]


async def by_card(app, id):
    """Give back the card and its work to an agent, which makes another commit."""
    await do(app, "rejectCard", id=id, feedback="Again")


async def test_a_card_is_done_once_its_checks_passed_and_it_was_approved(run):
    async with run() as app:
        board, id, worker, made = await reviewed(app, {"checks": [UNIT], "approvals": [MERGE]})
        assert await gate(app, id) == ["CHECK_MISSING", "APPROVAL_MISSING"]
        assert await move(app, id) == ["CHECKS", "APPROVAL"]
        asked = await request(app, id, note="Look")
        assert (asked["status"], asked["head"], asked["run"]) == ("PENDING", SHA, {"id": made})
        assert (await request(app, id))["id"] == asked["id"], "the same"
        approved = await decide(app, asked["id"], note="Fine")
        assert (approved["status"], approved["decidedAs"], approved["note"]) == ("APPROVED", "ADMIN", "Fine")
        assert await gate(app, id) == ["CHECK_MISSING"]
        again = await do(app, "startRun", "... on Runs { runs { id } }", cardId=id, kind="TEST")
        test = again["runs"][0]["id"]
        await worker.take()
        for status, code in (
            ("PENDING", "CHECK_PENDING"),
            ("FAILED", "CHECK_FAILED"),
            ("ERROR", "CHECK_FAILED"),
        ):
            await report(worker, test, result(status=status))
            assert await gate(app, id) == [code]
        await report(worker, test, result(), sha=OTHER)
        assert await gate(app, id) == ["CHECK_FAILED"], "that was another commit"
        await report(worker, test, result())
        assert await gate(app, id) == []
        await worker.complete(test, "Fine")
        assert await move(app, id) == "Card"
        events = [event["kind"] for event in await told(app, board)]
        assert events.count("ApprovalRequested") == events.count("ApprovalDecided") == 1


async def test_an_approval_is_for_one_commit(run):
    async with run() as app:
        _, id, worker, _ = await reviewed(app, {"approvals": [MERGE]})
        given = (await request(app, id))["id"]
        assert (await decide(app, given, ifHead=OTHER))["code"] == "CONFLICT"
        assert (await decide(app, given, ifHead=SHA))["status"] == "APPROVED"
        pending = (await request(app, id, "CREATE_PR"))["id"]
        await by_card(app, id)
        await worker.complete(await worker.take(), branch="signalbox/x", headSha=OTHER)
        assert await gate(app, id) == ["APPROVAL_STALE"]
        assert await move(app, id) == ["APPROVAL"]
        refused = await decide(app, pending)
        assert (refused["code"], refused["message"]) == ("CONFLICT", "The approval is not pending: CANCELLED")
        shown = await card(app, id, "approvals { nodes { id status stale } }")
        assert shown["approvals"]["nodes"] == [
            {"id": pending, "status": "CANCELLED", "stale": True},
            {"id": given, "status": "APPROVED", "stale": True},
        ]
        await decide(app, (await request(app, id))["id"])
        assert await move(app, id) == "Card"


async def test_one_decision_holds(run):
    async with run() as app:
        _, id, _, _ = await reviewed(app, {"approvals": [MERGE]})
        asked = (await request(app, id))["id"]
        answers = await asyncio.gather(*(decide(app, asked, approve=n % 2 == 0) for n in range(6)))
        kinds = [answer["__typename"] for answer in answers]
        assert sorted(kinds) == ["Approval"] + ["Conflict"] * 5
        assert (await do(app, "cancelApproval", APPROVAL, id=asked))["code"] == "CONFLICT"


async def test_a_rejection_sends_the_card_back_with_its_note(run):
    async with run() as app:
        _, id, worker, made = await reviewed(app, {"approvals": [MERGE]})
        asked = (await request(app, id))["id"]
        assert (await decide(app, asked, False, sendCardBack=True))["issues"][0]["path"] == "sendCardBack"
        rejected = await decide(app, asked, False, note="Too red", sendCardBack=True)
        assert rejected["status"] == "REJECTED"
        shown = await card(
            app, id, "stage activeRun { instruction retryOf { id } } messages { nodes { body } }"
        )
        assert shown == {
            "stage": "TODO",
            "activeRun": {"instruction": "Too red", "retryOf": {"id": made}},
            "messages": {"nodes": [{"body": "Too red"}]},
        }
        await worker.complete(await worker.take(), branch="signalbox/x", headSha=SHA)
        assert await gate(app, id) == ["APPROVAL_REJECTED"], "nothing was changed"


@pytest.mark.parametrize(
    ("by", "who"), [("MEMBER", {"key", "max", ""}), ("PERSON", {"max", ""}), ("ADMIN", {""})]
)
async def test_the_policy_says_who_approves(run, by, who):
    async with run() as app:
        _, id, _, _ = await reviewed(app, {"approvals": [{"kind": "MERGE", "by": by}]})
        await app.has_user("max")
        secret = """mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
          ... on ApiKeySecret { secret } } }"""
        given = {"workspaceId": await app.home(), "name": "k", "scopes": ["WRITE"]}
        app.tokens["key"] = f"Bearer {(await app.data(secret, input=given))['secret']}"
        for actor in ("key", "max", ""):
            asked = (await request(app, id))["id"]
            answer = await decide(app, asked, actor=actor)
            assert answer["__typename"] == ("Approval" if actor in who else "Forbidden"), actor


async def test_human_required_and_protected_paths_mean_a_person(run):
    async with run() as app:
        careful = (await make(app, name="careful", executor="CODEX", permission="HUMAN_REQUIRED"))["id"]
        policy = {"approvals": [{"kind": "MERGE", "by": "MEMBER"}], "protectedPaths": [".github/"]}
        _, id, _, _ = await reviewed(app, policy, profileIds=[careful])
        secret = """mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
          ... on ApiKeySecret { secret } } }"""
        given = {"workspaceId": await app.home(), "name": "k", "scopes": ["WRITE"]}
        app.tokens["key"] = f"Bearer {(await app.data(secret, input=given))['secret']}"
        asked = (await request(app, id))["id"]
        assert (await decide(app, asked, actor="key"))["code"] == "FORBIDDEN"
        _, other, _, _ = await reviewed(
            app, {"protectedPaths": [".github/"]}, files=[{"path": ".github/workflows/x.yml"}]
        )
        assert await gate(app, other) == ["APPROVAL_MISSING"], "although the policy asks for none"
        asked = (await request(app, other))["id"]
        assert (await decide(app, asked, actor="key"))["code"] == "FORBIDDEN"
        assert (await decide(app, asked))["status"] == "APPROVED"
        assert await gate(app, other) == []


async def test_a_plan_is_approved_before_work_begins(run):
    async with run() as app:
        board, [id] = await app.has_board("Paint")
        await set_policy(app, board, approvals=[{"kind": "PLAN"}])
        worker = await hand(app)
        assert await move(app, id, "PLAN") == "Card"
        assert await move(app, id, "TODO") == ["APPROVAL"]
        created = await do(app, "createCard", boardId=board, title="x", destination={"stage": "TODO"})
        assert [reason["code"] for reason in created["reasons"]] == ["APPROVAL"]
        asked = (await request(app, id, "PLAN"))["id"]
        started = await do(app, "startRun", "... on Runs { runs { id } }", cardId=id, kind="PLAN")
        await worker.take()
        await worker.complete(started["runs"][0]["id"], "Planned")
        assert (await decide(app, asked))["code"] == "CONFLICT", "it was another plan"
        await decide(app, (await request(app, id, "PLAN"))["id"])
        assert await move(app, id, "TODO") == "Card"


async def test_every_path_to_done_asks_for_the_gate(run):
    async with run() as app:
        board, id, _, _ = await reviewed(app, {"approvals": [MERGE]})
        lanes = dict(reversed([(stage, column) for column, stage in await columns(app, board)]))
        for path in (
            lambda: do(app, "moveCard", id=id, destination={"columnId": lanes["DONE"]}),
            lambda: do(app, "moveCards", ids=[id], destination={"stage": "DONE"}),
            lambda: do(app, "updateCard", id=id, destination={"stage": "DONE"}),
            lambda: do(app, "updateColumn", id=lanes["REVIEW"], stage="DONE"),
            lambda: do(app, "deleteColumn", id=lanes["REVIEW"], moveCardsTo=lanes["DONE"]),
        ):
            refused = await path()
            assert refused["__typename"] == "StageRefused", refused
            assert [reason["code"] for reason in refused["reasons"]] == ["APPROVAL"], refused
        moves = (await card(app, id, "moves { stage allowed reasons { code } }"))["moves"]
        assert moves[-1] == {"stage": "DONE", "allowed": False, "reasons": [{"code": "APPROVAL"}]}


async def test_the_inbox_is_of_all_boards(run):
    async with run() as app:
        boards = []
        for _ in range(2):
            board, id, _, _ = await reviewed(app)
            boards.append((board, (await request(app, id))["id"]))
        shown = (await app.data(INBOX))["nodes"]
        assert [(one["board"]["id"], one["id"]) for one in shown] == boards
        shown = (await app.data(INBOX, filter={"boardId": boards[0][0], "kind": ["MERGE"]}))["nodes"]
        assert [one["id"] for one in shown] == [boards[0][1]]
        await decide(app, boards[0][1])
        assert [one["id"] for one in (await app.data(INBOX))["nodes"]] == [boards[1][1]]
        assert [one["id"] for one in (await app.data(INBOX, filter={"status": ["APPROVED"]}))["nodes"]] == [
            boards[0][1]
        ]


async def test_requests_are_bounded(run):
    async with run() as app:
        _, [id] = await app.has_board("Paint")
        assert (await request(app, id, "TOOL"))["issues"][0]["path"] == "subject"
        assert (await request(app, id, "MERGE", subject="x"))["issues"][0]["path"] == "subject"
        for n in range(20):
            assert (await request(app, id, "TOOL", subject=f"tool {n}"))["status"] == "PENDING"
        assert (await request(app, id, "TOOL", subject="one more"))["code"] == "CONFLICT"


async def test_gates_of_many_cards_take_the_same_number_of_statements(run):
    async with run() as app:
        board, ids = await app.has_board(*(f"Card {n}" for n in range(30)))
        query = """query($id: ID!, $n: Int!) { board(id: $id) { cards(first: $n) { nodes {
          gate { code } moves { stage } approvals(first: 1) { nodes { stale } } } } } }"""
        for policy in (
            {},
            {"checks": [UNIT], "approvals": [MERGE, {"kind": "PLAN"}], "reviewLimitPerPerson": 1},
        ):
            if policy:
                await set_policy(app, board, **policy)
            for id in ids[:2]:
                await request(app, id)
            counts = []
            for n in (2, 30):
                with app.counting() as statements:
                    await app.data(query, id=board, n=n)
                counts.append(len(statements))
            assert counts[0] == counts[1], counts
