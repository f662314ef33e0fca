"""Memory of a board: kept once, decided by people, told to agents once it is approved."""

from tests.board import do, told
from tests.work import hand, in_todo, set_policy, start

MEMORY = "... on Memory { id text state version }"
OF_BOARD = "query($id: ID!) { board(id: $id) { memory { id text state } } }"


async def test_a_board_keeps_a_memory_once(run):
    async with run() as app:
        board, _ = await app.has_board()
        made = await do(app, "createMemory", MEMORY, boardId=board, text="Run the tests with -x")
        same = await do(app, "createMemory", MEMORY, boardId=board, text="RUN the  tests\nwith -X")
        assert same == made
        assert made["state"] == "DRAFT"
        other = await do(app, "createMemory", MEMORY, boardId=board, text="Other")
        refused = await do(app, "updateMemory", id=other["id"], text="run the tests with -x")
        assert refused["code"] == "CONFLICT"
        done = await do(app, "updateMemory", MEMORY, id=made["id"], state="APPROVED", ifVersion=1)
        assert (done["state"], done["version"]) == ("APPROVED", 2)
        stale = await do(app, "deleteMemory", id=made["id"], ifVersion=1)
        assert stale["code"] == "STALE"
        await do(app, "deleteMemory", id=other["id"])
        kept = (await app.data(OF_BOARD, id=board))["memory"]
        assert [(one["text"], one["state"]) for one in kept] == [("Run the tests with -x", "APPROVED")]
        kinds = [one["kind"] for one in await told(app, board)]
        assert kinds[-4:] == ["MemoryCreated", "MemoryCreated", "MemoryUpdated", "MemoryDeleted"]


async def test_a_memory_has_1_to_8000_characters(run):
    async with run() as app:
        board, _ = await app.has_board()
        for text in ("", "x" * 8_001):
            refused = await do(app, "createMemory", MEMORY, boardId=board, text=text)
            assert refused["code"] == "INVALID", refused
        assert (await do(app, "createMemory", MEMORY, boardId=board, text="x" * 8_000))["version"] == 1


async def test_an_agent_is_told_of_what_is_approved(run):
    async with run() as app:
        board, [id] = await app.has_board("Paint")
        await do(app, "createMemory", boardId=board, text="The brush is wet", state="APPROVED")
        await do(app, "createMemory", boardId=board, text="Only a guess")
        await do(app, "createMemory", boardId=board, text="This is wrong", state="REJECTED")
        await set_policy(app, board)
        await in_todo(app, id)
        worker = await hand(app)
        await start(app, id)
        [claim] = await worker.claim()
        prompt = claim["work"]["prompt"]
        assert "Learned by work on this board:\n\n- The brush is wet" in prompt
        assert "guess" not in prompt
        assert "wrong" not in prompt
