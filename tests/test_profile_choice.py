"""Which agent profile works a card: its own, else its board's; named, refused, switched off, deleted."""

import asyncio

import pytest

from tests.board import REFUSALS, card, do, do_each
from tests.test_account import has_key
from tests.test_policy import READ
from tests.test_profile import do as of_profile
from tests.test_profile import make
from tests.work import hand, in_todo, set_policy, start

NAMED = "agentProfileId agentProfile { name }"
AT_WORK = "activeRun { id executor profile { name } }"
START = f"""mutation($input: StartRunInput!) {{ startRun(input: $input) {{ {REFUSALS}
  ... on Runs {{ runs {{ executor permission profile {{ name }} }} }} }} }}"""
FEED = """subscription($id: ID!, $after: String) { boardFeed(boardId: $id, after: $after) {
  event { kind: __typename ... on BoardPolicyUpdated { changes { field before after } } } } }"""


async def profiles(app, *names, **input):
    """The ids of profiles of these names."""
    return [(await make(app, name=name, executor="SCRIPTED", **input))["id"] for name in names]


async def test_a_card_that_enters_todo_is_worked_with_its_own_profile_or_its_boards(run):
    async with run() as app:
        default, own = await profiles(app, "default", "own", permission="SUPERVISED")
        board, [plain, special] = await app.has_board("plain", "special")
        await set_policy(app, board, autoDispatch=True, concurrency=0, agentProfileId=default)
        changed = await do(app, "updateCard", f"... on Card {{ {NAMED} }}", id=special, agentProfileId=own)
        assert changed == {"__typename": "Card", "agentProfileId": own, "agentProfile": {"name": "own"}}
        made = await do(
            app,
            "createCards",
            "... on Cards { cards { id } }",
            boardId=board,
            destination={"stage": "TODO"},
            cards=[{"title": "made", "agentProfileId": own}, {"title": "made plain"}],
        )
        ids = [plain, special, *(one["id"] for one in made["cards"])]
        for id in ids[:2]:
            await in_todo(app, id)
        worked = [(await card(app, id, AT_WORK))["activeRun"] for id in ids]
        assert [one["profile"]["name"] for one in worked] == ["default", "own", "own", "default"]
        assert {one["executor"] for one in worked} == {"SCRIPTED"}
        codex = await hand(app, "codex", executors=["CODEX"])
        assert await codex.claim(4) == [], "another program is given none of them"
        assert len(await (await hand(app)).claim(4)) == 4


async def test_a_run_that_names_no_profile_has_the_cards_or_the_boards(run):
    async with run() as app:
        default, own, other = await profiles(app, "default", "own", "other")
        board, [id] = await app.has_board("Paint")
        await in_todo(app, id)

        async def begun(**input):
            [made] = (await app.data(START, input={"cardId": id, **input}))["runs"]
            shown = await card(app, id, AT_WORK)
            await do(app, "stopRun", id=shown["activeRun"]["id"])
            return made["profile"] and made["profile"]["name"]

        assert await begun() is None
        await set_policy(app, board, agentProfileId=default)
        assert await begun() == "default"
        await do(app, "updateCard", id=id, agentProfileId=own)
        assert await begun() == "own"
        assert await begun(profileIds=[other]) == "other"
        await do(app, "updateCard", id=id, agentProfileId=None)
        assert await begun() == "default"


@pytest.mark.parametrize("where", ["card", "new card", "board"])
async def test_a_profile_of_elsewhere_or_one_that_is_switched_off_is_not_named(run, where):
    async with run() as app:
        board, [id] = await app.has_board("Paint")
        off = (await make(app, name="off", enabled=False))["id"]
        away = await app.data(
            'mutation { createWorkspace(input: {name: "Away"}) { ... on Workspace { id } } }'
        )
        foreign = (await make(app, workspaceId=away["id"], name="foreign"))["id"]

        async def name(profile):
            given = {"agentProfileId": profile}
            if where == "board":
                return await do(app, "updateBoardPolicy", boardId=board, **given)
            if where == "card":
                return await do(app, "updateCard", id=id, **given)
            return await do(app, "createCard", boardId=board, title="New", **given)

        refused = await name(off)
        assert (refused["code"], refused["conflict"]) == ("CONFLICT", off)
        for stranger in (foreign, "profile_none"):
            refused = await name(stranger)
            assert (refused["code"], refused["missing"]) == ("NOT_FOUND", stranger)
        look = "query($id: ID!) { board(id: $id) { policy { agentProfileId } cards { nodes { agentProfileId } } } }"
        shown = await app.data(look, id=board)
        assert shown == {"policy": {"agentProfileId": None}, "cards": {"nodes": [{"agentProfileId": None}]}}


async def test_what_was_named_and_then_switched_off_begins_nothing(run):
    async with run() as app:
        [own] = await profiles(app, "own", permission="HUMAN_REQUIRED")
        board, [id] = await app.has_board("Paint")
        await set_policy(app, board, autoDispatch=True)
        await do(app, "updateCard", id=id, agentProfileId=own)
        await of_profile(app, "updateAgentProfile", id=own, enabled=False)
        await in_todo(app, id)
        shown = await card(app, id, f"agentState {AT_WORK}")
        assert shown == {"agentState": "IDLE", "activeRun": None}, (
            "not with another, which may be let do more"
        )
        refused = await app.data(START, input={"cardId": id})
        assert (refused["code"], refused["conflict"]) == ("CONFLICT", own)
        kept = await do(
            app, "updateCard", f"... on Card {{ title {NAMED} }}", id=id, title="Red", agentProfileId=own
        )
        assert (kept["title"], kept["agentProfileId"]) == ("Red", own), (
            "what stays as it was is not judged anew"
        )
        await of_profile(app, "updateAgentProfile", id=own, enabled=True)
        assert (await app.data(START, input={"cardId": id}))["runs"][0]["permission"] == "HUMAN_REQUIRED"


async def test_a_profile_that_is_deleted_leaves_cards_and_boards_without_one(run):
    async with run() as app:
        gone, stays = await profiles(app, "gone", "stays")
        board, [first, second] = await app.has_board("first", "second")
        other, [third] = await app.has_board("third", name="Other")
        await set_policy(app, board, agentProfileId=gone)
        await set_policy(app, other, agentProfileId=stays)
        for id, profile in ((first, gone), (second, stays), (third, gone)):
            await do(app, "updateCard", id=id, agentProfileId=profile)
        seq = (await app.data("query($id: ID!) { board(id: $id) { cursor } }", id=board))["cursor"]
        await of_profile(app, "deleteAgentProfile", id=gone)
        named = [(await card(app, id, NAMED))["agentProfileId"] for id in (first, second, third)]
        assert named == [None, stays, None]
        policies = [(await app.data(READ, id=id))["policy"]["agentProfileId"] for id in (board, other)]
        assert policies == [None, stays]
        async with app.follow(FEED, id=board, after=seq) as hear:
            told = (await hear())["boardFeed"]
        change = {"field": "agentProfileId", "before": gone, "after": None}
        assert told == {"kind": "BoardPolicyUpdated", "changes": [change]}


async def test_boards_whose_cards_named_a_profile_are_told_that_it_is_gone(run):
    async with run() as app:
        gone, stays = await profiles(app, "gone", "stays")
        board, [first, second, third] = await app.has_board("first", "second", "third")
        other, [fourth] = await app.has_board("fourth", name="Other")
        for id, profile in ((first, gone), (second, gone), (third, stays), (fourth, stays)):
            await do(app, "updateCard", id=id, agentProfileId=profile)
        shown = """query($id: ID!) { board(id: $id) { seq cursor
          cards { nodes { id agentProfileId updatedAt version } } } }"""
        before = [await app.data(shown, id=id) for id in (board, other)]
        await of_profile(app, "deleteAgentProfile", id=gone)
        after = [await app.data(shown, id=id) for id in (board, other)]
        told = """subscription($id: ID!, $after: String) { boardFeed(boardId: $id, after: $after) { seq
          event { kind: __typename ... on AgentProfileDeleted { profileId name profile { id } } } } }"""
        async with app.follow(told, id=board, after=before[0]["cursor"]) as hear:
            event = (await hear())["boardFeed"]
        assert event == {
            "seq": before[0]["seq"] + 1,
            "kind": "AgentProfileDeleted",
            "profileId": gone,
            "name": "gone",
            "profile": None,
        }
        for one in before[0]["cards"]["nodes"]:  # what was shown, and the event, are what is shown now
            one["agentProfileId"] = None if one["agentProfileId"] == event["profileId"] else stays
        assert after[0]["cards"] == before[0]["cards"]
        assert (after[0]["seq"], after[1]) == (event["seq"], before[1])


async def test_a_profile_that_is_deleted_while_it_is_named_is_named_nowhere(run):
    async with run() as app:
        board, ids = await app.has_board("0", "1", "2", "3")
        for turn in range(4):
            [gone] = await profiles(app, f"gone {turn}")
            changes = [do(app, "updateCard", id=id, agentProfileId=gone) for id in ids]
            changes.insert(turn, do(app, "deleteAgentProfile", id=gone))
            changes.append(do(app, "updateBoardPolicy", boardId=board, agentProfileId=gone))
            told = {one["__typename"] for one in await asyncio.gather(*changes)}
            assert told <= {"AgentProfile", "Card", "Board", "NotFound"}
            assert "AgentProfile" in told
            named = [(await card(app, id, NAMED))["agentProfileId"] for id in ids]
            policy = (await app.data(READ, id=board))["policy"]["agentProfileId"]
            assert {*named, policy} == {None}


async def test_moving_many_cards_asks_for_their_profiles_once(run):
    async with run() as app:
        default, *others = await profiles(app, "default", "one", "two", "three")
        board, ids = await app.has_board("0", "1", "2", "3", "4", "5")
        await set_policy(app, board, autoDispatch=True, agentProfileId=default)
        for id, profile in zip(ids[1:], [*others, *others], strict=False):
            await do(app, "updateCard", id=id, agentProfileId=profile)

        async def moved(*ids):
            with app.counting() as statements:
                assert "cards" in await do(
                    app,
                    "moveCards",
                    "... on Cards { cards { id } }",
                    ids=list(ids),
                    destination={"stage": "TODO"},
                )
            return [
                one for one in statements if "agent_profile" in one and one.startswith("SELECT agent_profile")
            ]

        assert [len(await moved(*some)) for some in (ids[:1], ids[1:])] == [1, 1]


async def test_who_may_name_one(run):
    async with run() as app:
        await app.has_user("max")
        await app.has_user("vic", "VIEWER")
        [own] = await profiles(app, "own")
        board, [id] = await app.has_board("Paint")
        assert (await do(app, "updateCard", "", "vic", id=id, agentProfileId=own))["code"] == "FORBIDDEN"
        assert (await do(app, "updateCard", "", "max", id=id, agentProfileId=own))["__typename"] == "Card"
        refused = await do(app, "updateBoardPolicy", "", "max", boardId=board, agentProfileId=own)
        assert refused["code"] == "FORBIDDEN", "the board's is an admin's to choose"


@pytest.mark.parametrize("way", ["retryRun", "resumeRun", "retryBatch"])
async def test_a_profile_that_is_switched_off_begins_nothing_again(run, way):
    async with run() as app:
        [own] = await profiles(app, "own")
        _, [id] = await app.has_board("Paint")
        worker = await hand(app)
        await in_todo(app, id)
        made = await do(app, "startBatch", "... on RunBatch { id runs { id } }", cardIds=[id], profileId=own)
        lost = made["runs"][0]["id"]
        await worker.take()
        await worker.say("failRun", lost, code="AGENT_ERROR", reason="No paint")
        await of_profile(app, "updateAgentProfile", id=own, enabled=False)
        given = {"id": made["id"] if way == "retryBatch" else lost}
        refused = await do(app, way, **given)
        assert (refused["code"], refused["conflict"]) == ("CONFLICT", own)
        shown = await card(app, id, "activeRun { id } runs { nodes { batch { status } } }")
        assert shown == {"activeRun": None, "runs": {"nodes": [{"batch": {"status": "FAILED"}}]}}
        await of_profile(app, "updateAgentProfile", id=own, enabled=True)
        assert (await do(app, way, **given))["__typename"] in ("Run", "RunBatch")


async def test_what_waits_for_a_decision_goes_on_although_its_profile_was_switched_off(run):
    """It is the run that was begun, not a new one."""
    async with run() as app:
        [own] = await profiles(app, "own")
        board, [id] = await app.has_board("Paint")
        await set_policy(app, board, noChange="DECIDE")
        worker = await hand(app)
        await in_todo(app, id)
        waits = await start(app, id, profileIds=[own])
        await worker.take()
        await worker.complete(waits, outcome="NO_CHANGES")
        await of_profile(app, "updateAgentProfile", id=own, enabled=False)
        assert (await do(app, "resumeRun", "... on Run { status }", id=waits))["status"] == "QUEUED"
        assert await worker.take() == waits


@pytest.mark.parametrize("way", ["retryRun", "retryBatch", "rejectCard"])
async def test_a_profile_that_was_deleted_leaves_its_program_and_its_permission(run, way):
    async with run() as app:
        [own] = await profiles(app, "own", permission="HUMAN_REQUIRED")
        _, [id] = await app.has_board("Paint")
        worker = await hand(app)
        await in_todo(app, id)
        made = await do(app, "startBatch", "... on RunBatch { id runs { id } }", cardIds=[id], profileId=own)
        before = made["runs"][0]["id"]
        await worker.take()
        if way == "rejectCard":
            await worker.complete(before)
        else:
            await worker.say("failRun", before, code="AGENT_ERROR", reason="No paint")
        await of_profile(app, "deleteAgentProfile", id=own)
        given = {
            "retryRun": {"id": before},
            "retryBatch": {"id": made["id"]},
            "rejectCard": {"id": id, "feedback": "Too red"},
        }
        told = await do(app, way, **given[way])
        assert "code" not in told, told
        again = (await card(app, id, "activeRun { executor permission profile { name } retryOf { id } }"))[
            "activeRun"
        ]
        assert again == {
            "executor": "SCRIPTED",
            "permission": "HUMAN_REQUIRED",
            "profile": None,
            "retryOf": {"id": before},
        }
        other = await hand(app, "other", executors=["CLAUDE_CODE"])
        assert await other.claim() == [], "another program is not given it"
        assert len(await worker.claim()) == 1


LEVELS = ["AUTONOMOUS", "SUPERVISED", "HUMAN_REQUIRED"]


async def somebody(app, who):
    if who == "a member":
        await app.has_user("max")
        return "max"
    if who == "a key":
        await has_key(app, "ci", scopes=["WRITE"])
        return "ci"
    return ""


async def test_only_an_admin_lets_an_agent_do_more_than_its_profile_says(run):
    async with run() as app:
        asks = [None, *LEVELS]
        _, ids = await app.has_board(*(f"{asked}" for asked in asks))
        await do(app, "moveCards", ids=ids, destination={"stage": "TODO"})
        profile = {level: (await profiles(app, level, permission=level))[0] for level in LEVELS}

        async def begun(actor, way, own):
            """What is let, by what is asked for."""
            shown = f"... on {'Runs' if way == 'startRun' else 'RunBatch'} {{ runs {{ id permission }} }}"
            inputs = []
            for id, asked in zip(ids, asks, strict=True):
                one = {"cardId": id, "profileIds": [own]}
                many = {"cardIds": [id], "profileId": own}
                more = {"permission": asked} if asked else {}
                inputs.append((one if way == "startRun" else many) | more)
            made = [told["runs"][0] for told in await do_each(app, way, shown, actor, *inputs)]
            await do_each(app, "stopRun", "", "", *({"id": one["id"]} for one in made))
            return {asked: one["permission"] for asked, one in zip(asks, made, strict=True)}

        for who in ("an admin", "a member", "a key"):
            actor = await somebody(app, who)
            for way, level in (*(("startRun", level) for level in LEVELS), ("startBatch", "SUPERVISED")):
                wanted = {asked: max(level, asked or level, key=LEVELS.index) for asked in asks}
                if who == "an admin":
                    wanted = {asked: asked or level for asked in asks}
                assert await begun(actor, way, profile[level]) == wanted, (who, way, level)


@pytest.mark.parametrize("who", ["an admin", "a member"])
async def test_what_is_tried_again_is_held_to_its_profile_as_it_is_now(run, who):
    async with run() as app:
        actor = await somebody(app, who)
        [own] = await profiles(app, "own")
        _, [id] = await app.has_board("Paint")
        worker = await hand(app)
        await in_todo(app, id)
        failed = await start(app, id, profileIds=[own])
        await worker.take()
        await worker.say("failRun", failed, code="AGENT_ERROR", reason="No paint")
        await of_profile(app, "updateAgentProfile", id=own, permission="HUMAN_REQUIRED")
        again = await do(app, "retryRun", "... on Run { permission }", actor, id=failed)
        assert again["permission"] == ("AUTONOMOUS" if who == "an admin" else "HUMAN_REQUIRED")
