"""Work that is sent back: what the next run goes on from, and that it may do no more than the one before."""

import pytest

from tests.board import card, do
from tests.test_profile import do as of_profile
from tests.test_profile import make
from tests.work import about_run, hand, in_todo, queued, set_policy, start

NEXT = """stage activeRun { id permission executor profile { name } branch baseRef instruction
  retryOf { id } triggerMessage { body } createdBy { username } }"""
LOOK = "stage activeRun { id } messages { nodes { body } }"


async def reject(app, id, feedback="Too red"):
    return await do(app, "rejectCard", f"... on Card {{ {NEXT} }}", id=id, feedback=feedback)


async def succeeds(worker, run, **result):
    await worker.take()
    done = await worker.complete(run, **result)
    assert done["card"]["stage"] == "REVIEW", done


@pytest.mark.parametrize("auto", [False, True])
async def test_what_goes_on_may_do_no_more_than_what_was_sent_back(run, auto):
    async with run() as app:
        board, [id] = await app.has_board("Paint")
        careful = (await make(app, name="careful", executor="CODEX", permission="HUMAN_REQUIRED"))["id"]
        worker = await hand(app, executors=["CLAUDE_CODE", "CODEX"])
        first = await queued(app, id, profileIds=[careful], baseRef="main")
        await succeeds(worker, first, branch="signalbox/x", sessionId="codex-talk")
        await set_policy(app, board, autoDispatch=auto)
        back = await reject(app, id)
        assert back["stage"] == "TODO"
        again = back["activeRun"]
        assert (again["permission"], again["executor"]) == ("HUMAN_REQUIRED", "CODEX")
        assert (again["profile"], again["baseRef"]) == ({"name": "careful"}, "main")
        assert (again["branch"], again["retryOf"]) == ("signalbox/x", {"id": first})
        assert (again["instruction"], again["triggerMessage"]) == ("Too red", {"body": "Too red"})
        assert again["createdBy"] is not None, "who sent it back asked for it"
        [claim] = await worker.claim(5)
        work = {name: claim["work"][name] for name in ("permission", "executor", "sessionId", "branch")}
        assert work == {
            "permission": "HUMAN_REQUIRED",
            "executor": "CODEX",
            "sessionId": "codex-talk",
            "branch": "signalbox/x",
        }


async def test_a_conversation_is_gone_on_with_by_its_own_program_only(run):
    async with run() as app:
        _, [id] = await app.has_board("Paint")
        profile = (await make(app, name="careful", executor="CODEX"))["id"]
        worker = await hand(app, executors=["CODEX", "CLAUDE_CODE"])
        await succeeds(
            worker, await queued(app, id, profileIds=[profile]), branch="signalbox/x", sessionId="codex-talk"
        )
        await of_profile(app, "updateAgentProfile", id=profile, executor="CLAUDE_CODE")
        await reject(app, id)
        [claim] = await worker.claim()
        work = claim["work"]
        assert (work["executor"], work["sessionId"], work["branch"]) == ("CLAUDE_CODE", None, "signalbox/x")


@pytest.mark.parametrize("auto", [False, True])
async def test_what_no_agent_brought_is_sent_back_all_the_same(run, auto):
    """Then only the board's rule asks for a run; it is told the reason."""
    async with run() as app:
        board, [id] = await app.has_board("Paint")
        for stage in ("TODO", "IN_PROGRESS", "REVIEW"):
            assert (await do(app, "moveCard", id=id, destination={"stage": stage}))["__typename"] == "Card"
        await set_policy(app, board, autoDispatch=auto)
        back = await reject(app, id)
        assert back["stage"] == "TODO"
        if not auto:
            assert back["activeRun"] is None
            return
        again = back["activeRun"]
        assert (again["instruction"], again["triggerMessage"]) == ("Too red", {"body": "Too red"})
        assert (again["retryOf"], again["branch"], again["createdBy"]) == (None, None, None)


async def test_without_a_batch_too_the_chosen_run_is_gone_on_from(run):
    async with run() as app:
        _, [id] = await app.has_board("Paint")
        worker = await hand(app)
        await in_todo(app, id)
        runs = []
        for n in range(3):
            runs.append(await start(app, id))
            await succeeds(worker, runs[-1], branch=f"signalbox/{n}")
            if n == 1:
                chosen = await app.data(about_run("chooseRun"), input={"id": runs[0]})
                assert chosen["__typename"] == "Run"
                back = await reject(app, id)
                assert (back["activeRun"]["branch"], back["activeRun"]["retryOf"]) == (
                    "signalbox/0",
                    {"id": runs[0]},
                ), "not the newest"
                await succeeds(worker, back["activeRun"]["id"], branch="signalbox/again")
                back = await reject(app, id, "Still too red")
                assert back["activeRun"]["branch"] == "signalbox/again", "the choice knew nothing of it"
                await do(app, "stopRun", id=back["activeRun"]["id"])
        back = await reject(app, id)
        assert back["activeRun"]["branch"] == "signalbox/2", "nor of what was begun anew since"


async def test_a_profile_that_is_switched_off_goes_on_with_nothing(run):
    async with run() as app:
        _, [id] = await app.has_board("Paint")
        profile = (await make(app, name="careful", executor="CODEX"))["id"]
        worker = await hand(app, executors=["CODEX"])
        await succeeds(worker, await queued(app, id, profileIds=[profile]))
        await of_profile(app, "updateAgentProfile", id=profile, enabled=False)
        refused = await reject(app, id)
        assert (refused["code"], refused["conflict"]) == ("CONFLICT", profile)
        assert await card(app, id, LOOK) == {
            "stage": "REVIEW",
            "activeRun": None,
            "messages": {"nodes": []},
        }
