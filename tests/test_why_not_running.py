"""Why a run does not run: every reason there is, with what it says of it."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from models.card import Card
from models.run import WhyNotRunningCode
from tests.work import WORDS, about_run, hand, queued, set_policy, show

COLUMNS = "query($id: ID!) { board(id: $id) { columns { id stage } } }"
LIMIT = "mutation($input: UpdateColumnInput!) { updateColumn(input: $input) { __typename } }"
LINK = "mutation($input: LinkCardsInput!) { linkCards(input: $input) { __typename } }"
ARCHIVE = "mutation($id: ID!) { archiveBoard(input: {id: $id}) { __typename } }"
BACK = "mutation($id: ID!) { unarchiveBoard(input: {id: $id}) { __typename } }"
PROFILE = """mutation($input: CreateAgentProfileInput!) { createAgentProfile(input: $input) {
  ... on AgentProfile { id } } }"""


class Why:
    """Asks why a run does not run, and remembers every code it was told."""

    def __init__(self, app):
        self.app, self.told = app, set()

    async def __call__(self, run):
        reasons = (await show(self.app, run))["whyNotRunning"]
        self.told |= {one["code"] for one in reasons}
        return {one["code"]: one for one in reasons}


def soon(moment, seconds, jitter=0):
    """Whether a moment is so many seconds from now, which may be told 20 late."""
    left = datetime.fromisoformat(moment) - datetime.now(UTC)
    return timedelta(seconds=seconds - jitter - 20) < left <= timedelta(seconds=seconds + jitter + 5)


async def test_every_reason_why_a_run_does_not_run(run):
    async with run() as app:
        why = Why(app)
        board, cards = await app.has_board(*"abcdefgh")
        profile = {"workspaceId": await app.home(), "name": "codex", "executor": "CODEX"}
        codex = (await app.data(PROFILE, input=profile))["id"]
        a, b = [await queued(app, card) for card in cards[:2]]

        assert list(await why(a)) == ["IN_QUEUE", "NO_CAPABLE_WORKER"]  # nobody is there yet
        worker = await hand(app)
        assert [(await why(id))["IN_QUEUE"]["position"] for id in (a, b)] == [1, 2]
        assert list(await why(a)) == ["IN_QUEUE"]
        other = await queued(app, cards[2], profileIds=[codex])
        assert list(await why(other)) == ["IN_QUEUE", "NO_CAPABLE_WORKER"]

        assert await worker.take() == a
        held = await why(a)
        assert list(held) == ["LEASE_HELD"]
        assert soon(held["LEASE_HELD"]["until"], 30)
        full = (await why(b))["LIMIT_REACHED"]
        assert (full["runIds"], full["limit"]) == ([a], 1)

        await worker.report(a, "1", {"type": "OUTPUT", "text": "At it"})
        assert await why(a) == {}
        asked = await worker.ask(a, WORDS)
        waits = await why(a)
        assert list(waits) == ["WAITS"]
        assert waits["WAITS"]["questionIds"] == [asked["questions"][0]["id"]]
        await app.data(about_run("stopRun"), input={"id": a})
        assert "STOPPING" in await why(a)
        await worker.say("confirmStop", a)
        assert await why(a) == {}, "it has ended"

        assert await worker.take() == b
        await worker.say("failRun", b, code="AGENT_ERROR", reason="No paint", retryable=True)
        later = await why(b)
        assert list(later) == ["DUE_LATER"]
        assert soon(later["DUE_LATER"]["until"], 60, jitter=12)

        await app.data(LINK, input={"cardId": cards[4], "targetId": cards[3], "kind": "BLOCKS"})
        blocked = await queued(app, cards[3])
        assert (await why(blocked))["BLOCKED"]["cardIds"] == [cards[4]]

        await set_policy(app, board, concurrency=0)
        c = await queued(app, cards[5])
        assert await worker.take() == c
        columns = (await app.data(COLUMNS, id=board))["columns"]
        [work] = [one["id"] for one in columns if one["stage"] == "IN_PROGRESS"]
        await app.data(LIMIT, input={"id": work, "wipLimit": 1})
        crowded = await queued(app, cards[6])
        assert (await why(crowded))["WIP_LIMIT"]["limit"] == 1

        await app.data(LIMIT, input={"id": work, "wipLimit": 100})
        await app.data(ARCHIVE, id=board)
        assert list(await why(crowded)) == ["BOARD_ARCHIVED"]
        assert await worker.claim() == []
        await app.data(BACK, id=board)
        assert list(await why(crowded)) == ["IN_QUEUE"]

        async with app.begin() as tx:  # archiving ends runs: only what came in otherwise can be so
            gone = update(Card).where(Card.id == cards[6]).values(archived_at=datetime.now(UTC))
            await tx.execute(gone)
        for _ in range(2):  # before a claim has come upon it, and after
            assert list(await why(crowded)) == ["CARD_ARCHIVED"]
            assert await worker.claim() == []
        elsewhere = {WhyNotRunningCode.REVIEW_LIMIT}  # in test_review_limit
        assert why.told | elsewhere == set(WhyNotRunningCode)
