"""The ready gate: what is missing is listed before and in the refusal, and no path goes around it."""

import json

from actions.transfer import native_format
from actions.transfer.export_board import export_board
from actions.transfer.file import parse
from actions.transfer.import_board import import_board
from tests.board import card, do, dump, reads, told
from tests.test_law_paths import by_stage

POLICY = "... on Board { policy { requireApproval } }"
CHECKS = "needs { need met required count message }"
READY = f"readiness {{ met approvedAt approvedBy {{ name }} {CHECKS} }}"
APPROVED = "... on Card { approvedAt version }"
NOT_READY = f"... on NotReady {{ cardId {CHECKS} }} ... on Card {{ approvedAt version }}"


async def prepare(app, id):
    """Give a card what the default policy needs."""
    await do(app, "addKnowledge", cardId=id, kind="REQUIREMENT", text="It pays")
    await do(app, "addPlannedFile", cardId=id, path="pay.py")


def unmet(checks):
    return [check["need"] for check in checks if not check["met"]]


async def test_a_card_is_approved_once_it_has_what_its_board_needs(run):
    async with run() as app:
        board, [id] = await app.has_board("Pay")
        question = await do(app, "askQuestion", "... on Question { id }", cardId=id, text="Which bank?")
        before = await dump(app, board)
        refused = await do(app, "approveCard", NOT_READY, id=id)
        assert (refused["__typename"], refused["code"], refused["cardId"]) == ("NotReady", "NOT_READY", id)
        said = (await card(app, id, READY))["readiness"]
        assert refused["needs"] == said["needs"], "the refusal is the same list"
        assert unmet(said["needs"]) == ["REQUIREMENTS", "PLANNED_FILES", "ANSWERS"]
        assert (said["met"], said["approvedAt"], said["approvedBy"]) == (False, None, None)
        assert [(check["required"], check["count"]) for check in said["needs"]] == [(1, 0), (1, 0), (0, 1)]
        assert await dump(app, board) == before, "nothing was changed"
        await prepare(app, id)
        await do(app, "answerQuestion", id=question["id"], text="Any")
        assert (await card(app, id, READY))["readiness"]["met"]
        done = await do(app, "approveCard", NOT_READY, id=id)
        assert done["approvedAt"]
        again = await do(app, "approveCard", NOT_READY, id=id)
        assert again == done, "approving twice changes nothing"
        said = (await card(app, id, READY))["readiness"]
        assert (said["approvedAt"], said["approvedBy"]) == (done["approvedAt"], {"name": "owner"})
        back = await do(app, "withdrawApproval", APPROVED, id=id)
        assert (back["approvedAt"], back["version"]) == (None, done["version"] + 1)
        assert (await do(app, "withdrawApproval", APPROVED, id=id)) == back
        kinds = [one["kind"] for one in await told(app, board)]
        assert kinds[-2:] == ["CardApproved", "CardApprovalWithdrawn"]
        stale = await do(app, "approveCard", id=id, ifVersion=1)
        assert stale["version"] == back["version"]


async def test_the_policy_says_what_a_card_needs(run):
    async with run() as app:
        board, [id] = await app.has_board("Pay")
        needs = {"requiredRequirements": 0, "requiredPlannedFiles": 0, "requireAnswers": False}
        await do(app, "updateBoardPolicy", boardId=board, **needs)
        assert (await card(app, id, READY))["readiness"]["needs"] == []
        assert (await do(app, "approveCard", NOT_READY, id=id))["approvedAt"]
        await do(app, "withdrawApproval", id=id)
        await do(app, "updateBoardPolicy", boardId=board, requiredRequirements=2, requireReview=True)
        one = await do(
            app,
            "addKnowledge",
            "... on KnowledgeItem { id }",
            cardId=id,
            kind="REQUIREMENT",
            text="a",
        )
        await do(app, "addKnowledge", cardId=id, kind="REQUIREMENT", text="b", state="APPROVED")
        refused = await do(app, "approveCard", NOT_READY, id=id)
        assert unmet(refused["needs"]) == ["REVIEW"]
        await do(app, "updateKnowledge", id=one["id"], state="REJECTED")
        refused = await do(app, "approveCard", NOT_READY, id=id)
        assert unmet(refused["needs"]) == ["REQUIREMENTS"], "a rejected requirement does not count"
        await do(app, "updateKnowledge", id=one["id"], state="APPROVED")
        assert (await do(app, "approveCard", NOT_READY, id=id))["approvedAt"]


async def test_where_approval_is_required_no_path_leads_around_it(run):
    async with run() as app:
        board, [id, other] = await app.has_board("Pay", "Other")
        moved = await do(app, "moveCard", id=id, destination={"stage": "TODO"})
        assert moved["__typename"] == "Card", "without the policy a card moves"
        await do(app, "moveCard", id=id, destination={"stage": "BACKLOG"})
        revision = (await card(app, id, "revisions(first: 1) { seq stage }"))["revisions"][0]
        assert revision["stage"] == "TODO"
        await do(app, "updateBoardPolicy", POLICY, boardId=board, requireApproval=True)
        lanes = await by_stage(app, board)
        before = await dump(app, board)
        todo = {"stage": "TODO"}
        for field, input in (
            ("moveCard", {"id": id, "destination": todo}),
            ("moveCard", {"id": id, "destination": {"columnId": lanes["TODO"]}}),
            ("moveCards", {"ids": [id, other], "destination": todo}),
            ("updateCard", {"id": id, "title": "x", "destination": todo}),
            ("createCard", {"boardId": board, "title": "x", "destination": todo}),
            ("createCards", {"boardId": board, "cards": [{"title": "x"}], "destination": todo}),
            ("restoreCardRevision", {"cardId": id, "revision": revision["seq"]}),
            ("updateColumn", {"id": lanes["BACKLOG"], "stage": "TODO"}),
            ("deleteColumn", {"id": lanes["BACKLOG"], "moveCardsTo": lanes["TODO"]}),
            ("startRun", {"cardId": id}),
        ):
            refused = await do(app, field, **input)
            assert refused["__typename"] == "StageRefused", (field, refused)
            assert [reason["code"] for reason in refused["reasons"]] == ["NOT_READY"], field
            assert refused["allowed"] == ["BACKLOG", "PLAN"], field
            assert await dump(app, board) == before, field
        moves = (await card(app, id, "moves { stage allowed reasons { code } }"))["moves"]
        assert [move["stage"] for move in moves if move["allowed"]] == ["BACKLOG", "PLAN"]
        await prepare(app, id)
        await do(app, "approveCard", id=id)
        for stage in ("PLAN", "TODO", "IN_PROGRESS", "REVIEW", "TODO", "BACKLOG", "TODO"):
            assert (await do(app, "moveCard", id=id, destination={"stage": stage}))["__typename"] == "Card"
        await do(app, "withdrawApproval", id=id)
        moved = await do(app, "moveCard", id=id, destination={"stage": "IN_PROGRESS"})
        assert moved["__typename"] == "Card", "the gate is where preparation ends"


async def test_on_a_free_board_the_gate_holds_too(run):
    async with run() as app:
        board, [id] = await app.has_board("Pay", template="KANBAN")
        await do(app, "createColumn", boardId=board, name="Ideas", stage="BACKLOG")
        await do(app, "moveCard", id=id, destination={"stage": "BACKLOG"})
        await do(app, "updateBoardPolicy", boardId=board, requireApproval=True)
        for field, input in (
            ("moveCard", {"id": id, "destination": {"stage": "DONE"}}),
            ("startRun", {"cardId": id, "kind": "CODE"}),
            ("startBatch", {"cardIds": [id], "kind": "CODE"}),
        ):
            refused = await do(app, field, **input)
            assert [reason["code"] for reason in refused["reasons"]] == ["NOT_READY"], field


async def test_the_readiness_of_many_cards_is_as_many_statements_as_of_one(run):
    look = f"query($id: ID!) {{ board(id: $id) {{ cards {{ nodes {{ {READY} }} }} }} }}"
    async with run() as app:
        board, ids = await app.has_board(*"abcde")
        await prepare(app, ids[0])
        with app.counting() as statements:
            found = await app.data(look, id=board)
        met = [one["readiness"]["met"] for one in found["cards"]["nodes"]]
        assert met == [True, False, False, False, False]
        assert len(reads(statements)) == 3, statements


async def test_plans_and_approval_are_in_the_file_of_a_board(run):
    async with run() as app:
        await app.has_user("ann")
        board, [id, _] = await app.has_board("Pay", "Rest")
        await prepare(app, id)
        fact = {"text": "known", "evidence": "log", "confidence": 0.35, "state": "APPROVED"}
        await do(app, "addKnowledge", cardId=id, kind="FACT", **fact)
        plan = {"kind": "TEST", "action": "CREATE", "module": "m", "intent": "i", "contract": "c"}
        await do(app, "addPlannedFile", cardId=id, path="tests/", status="APPROVED", **plan)
        await do(app, "approveCard", actor="ann", id=id)

        async def exported(id):
            snapshot = app.services.database.snapshot()
            text = native_format.write_native(await export_board(snapshot.read, app.owner, id))
            await snapshot.close()
            return text

        text = await exported(board)
        [first, second] = json.loads(text)["cards"]
        assert [one["text"] for one in first["knowledge"]] == ["It pays", "known"]
        assert first["approvedBy"] == "ann"
        assert (second["knowledge"], second["plannedFiles"], second["approvedAt"]) == ([], [], None)
        async with app.begin(app.owner) as tx:
            file = parse(text.encode(), "x")
            made = await import_board(tx, app.owner, file, workspace_id=await app.home())
        assert (await exported(made.board.id)).replace(made.board.key, "WEB", 1) == text
        await do(app, "updateBoardPolicy", boardId=board, requireApproval=True)
        async with app.begin(app.owner) as tx:
            for each in file.cards:
                each.title, each.number = f"{each.title} again", each.number + 10
                if each.approved_at:
                    each.column = 2
            await import_board(tx, app.owner, file, board_id=board)
        names = [one["title"] for one in (await dump(app, board))["cards"]["nodes"]]
        assert "Pay again" in names, "its approval came with it"
