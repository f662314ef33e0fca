"""A database that was restored from a backup: who heard more than it knows is told so."""

import pytest

from tests.client import Refused
from tests.faults.api import CREATE_CARD
from tests.test_start import CLEAN, begin

FEED = """subscription($board: ID!, $after: String) {
  boardFeed(boardId: $board, after: $after) { seq cursor event { kind: __typename } } }"""
BOARDS = "{ boards { nodes { id seq cursor } } }"


async def board_of(app):
    return (await app.data(BOARDS))["nodes"][0]


async def makes(app, board, *titles):
    for title in titles:
        await app.data(CREATE_CARD, input={"boardId": board["id"], "title": title})


async def test_no_cursor_from_before_a_restore_is_taken_after_it(run, fresh, tmp_path):
    """Nor when there are as many events again, where it would be taken and what is between skipped."""

    async def fill(url):
        async with run(url) as app:
            await app.has_board("One", "Two")
            await app.has_board("Another board's", name="Other")

    live, backup = await fresh("restored", fill), await fresh("restored", fill)
    async with run(live) as app:
        board = kept = await board_of(app)
        await makes(app, board, "Lost 1", "Lost 2")
        ahead = await board_of(app)
    given = CLEAN | {"DATABASE_URL": backup, "SECRET_KEY": "k" * 40}
    for _ in range(2):
        status, out, err = await begin(tmp_path, "restored", **given)
        assert (status, err) == (0, "")
        assert out.endswith(" feeds have a new epoch: who resumes in one is told to read again\n")
    async with run(backup) as app:
        now, other = (await app.data(BOARDS))["nodes"]
        assert (now["seq"], now["cursor"] != kept["cursor"]) == (kept["seq"], True)

        async def refused(after):
            async with app.follow(FEED, board=board["id"], after=after) as hear:
                with pytest.raises(Refused) as refused:
                    await hear()
            return refused.value.code

        old = kept["cursor"], ahead["cursor"], other["cursor"]
        assert [await refused(after) for after in old] == ["CURSOR_EXPIRED"] * 3
        await makes(app, board, "New 1", "New 2", "New 3")
        assert [await refused(after) for after in old] == ["CURSOR_EXPIRED"] * 3
        async with app.follow(FEED, board=board["id"], after=now["cursor"]) as hear:
            told = [(await hear())["boardFeed"] for _ in range(3)]
        assert [event["seq"] for event in told] == [kept["seq"] + n for n in (1, 2, 3)]
        async with app.follow(FEED, board=board["id"], after="0") as hear:
            assert (await hear())["boardFeed"]["seq"] == 1
