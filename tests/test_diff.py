"""Diffs while the agent works: stored once, bounded, and compared with any other."""

import difflib
import hashlib
import random

from sqlalchemy import func, select

from models.diff import DiffContent, DiffFile, DiffSnapshot
from models.interdiff import interdiff
from tests.board import do, told
from tests.work import at_work, hand, in_todo, start

BASE, TREE = "a" * 40, "b" * 40
FILES = "files { path change additions deletions movedFrom hunks cutReason }"
DIFF = f"""query($id: ID!) {{ run(id: $id) {{ diff {{ id attempt baseSha headSha isFinal fileCount
  additions deletions cutReason version {FILES} }} card {{ diff {{ id }} }} }} }}"""
COMPARE = """query($base: ID!, $head: ID!) { diff(base: $base, head: $head) { comparable
  files { path movedFrom hunks additions deletions cutReason } } }"""


def hunks_of(before, after):
    lines = difflib.unified_diff(before, after, lineterm="", n=3)
    return "\n".join(list(lines)[2:])


def file(path, before, after, *, known=False, **more):
    text = hunks_of(before, after)
    lines = text.split("\n")
    return {
        "path": path,
        "additions": sum(line.startswith("+") for line in lines),
        "deletions": sum(line.startswith("-") for line in lines),
        "hash": hashlib.sha256(text.encode()).hexdigest(),
        **({} if known else {"hunks": text}),
        **more,
    }


async def report(worker, run, *files, **more):
    given = {
        "lease": worker.leases[run],
        "baseSha": BASE,
        "headSha": TREE,
        "files": list(files),
        "fileCount": len(files),
        "additions": sum(file.get("additions") or 0 for file in files),
        "deletions": sum(file.get("deletions") or 0 for file in files),
    }
    return await do(
        worker.app, "reportDiff", "... on DiffReported { missingHashes }", worker.actor, **{**given, **more}
    )


async def stored(app):
    read = app.services.database.read
    return [
        (await read(select(func.count().label("n")).select_from(table)))[0].n
        for table in (DiffSnapshot, DiffFile, DiffContent)
    ]


async def test_the_diff_of_a_run_grows_on_its_feeds(run):
    async with run() as app:
        board, _, worker, id = await at_work(app)
        before = len(await told(app, board))
        a, b = file("a.txt", [], ["one"], change="ADD"), file("b.txt", ["x"], ["y", "z"])
        assert (await report(worker, id, a))["missingHashes"] == []
        assert (await report(worker, id, file("a.txt", [], ["one"], change="ADD", known=True), b))[
            "missingHashes"
        ] == []
        shown = await app.data(DIFF, id=id)
        diff = shown["diff"]
        assert (diff["fileCount"], diff["additions"], diff["deletions"]) == (2, 3, 1)
        assert (diff["attempt"], diff["isFinal"], diff["version"]) == (1, False, 2)
        assert [(one["path"], one["change"], one["hunks"]) for one in diff["files"]] == [
            ("a.txt", "ADD", a["hunks"]),
            ("b.txt", "EDIT", b["hunks"]),
        ]
        assert shown["card"]["diff"] == {"id": diff["id"]}
        events = (await told(app, board, "kind ... on DiffChanged { files additions deletions }"))[before:]
        assert events == [
            {"kind": "DiffChanged", "files": 1, "additions": 1, "deletions": 0},
            {"kind": "DiffChanged", "files": 2, "additions": 3, "deletions": 1},
        ]
        feed = """subscription($id: ID!) { runFeed(runId: $id, after: "0") {
          ... on RunDiff { fileCount additionCount deletionCount } } }"""
        async with app.follow(feed, id=id) as hear:
            lines = [line for _ in range(4) if (line := (await hear())["runFeed"])]
        assert lines[-1] == {"fileCount": 2, "additionCount": 3, "deletionCount": 1}


async def test_contents_are_stored_once_and_go_with_the_last_that_names_them(run):
    async with run() as app:
        _, _, worker, id = await at_work(app)
        same = [file(f"{n}.txt", [], ["one"]) for n in range(3)]
        await report(worker, id, *same)
        assert await stored(app) == [1, 3, 1]
        await report(worker, id, same[0], file("b.txt", [], ["two"]))
        assert await stored(app) == [1, 2, 2]
        await report(worker, id, file("b.txt", [], ["two"], known=True))
        assert await stored(app) == [1, 1, 1]
        unknown = file("a.txt", [], ["one"], known=True)
        assert (await report(worker, id, unknown))["missingHashes"] == [unknown["hash"]]
        assert await stored(app) == [1, 1, 1], "nothing was stored"


async def test_diffs_of_the_newest_attempts_are_kept(run):
    async with run() as app:
        _, card = await app.has_board("Paint")
        worker = await hand(app)
        await in_todo(app, card[0])
        for n in range(22):
            id = await start(app, card[0], kind="TEST")
            await worker.take()
            await report(worker, id, file("a.txt", [], [str(n)]))
            await worker.complete(id)
        assert await stored(app) == [20, 20, 20]


async def test_what_is_left_out_is_told(run):
    async with run() as app:
        _, _, worker, id = await at_work(app)
        cut = {"path": "big.txt", "additions": 300_000, "deletions": 0, "cutReason": "FILE_TOO_LARGE"}
        await report(worker, id, cut, {"path": "x.bin", "cutReason": "BINARY"}, fileCount=2)
        diff = (await app.data(DIFF, id=id))["diff"]
        assert (diff["additions"], diff["cutReason"]) == (300_000, "FILE_TOO_LARGE")
        assert [(one["hunks"], one["cutReason"]) for one in diff["files"]] == [
            (None, "FILE_TOO_LARGE"),
            (None, "BINARY"),
        ]
        await report(worker, id, cut, fileCount=5_000)
        assert (await app.data(DIFF, id=id))["diff"]["cutReason"] == "TOO_MANY_FILES"


async def test_a_bad_diff_is_refused(run):
    async with run() as app:
        _, _, worker, id = await at_work(app)
        good = file("a.txt", [], ["one"])
        for bad, path in (
            ({**good, "path": "../a"}, "files.0.path"),
            ({**good, "hash": "0" * 64}, "files.0.hash"),
            (file("a.txt", [], ["x" * 70_000]), "files.0.hunks"),
            ({**good, "change": "BURN"}, "files.0.change"),
            ({**good, "additions": -1}, "files.0.additions"),
        ):
            assert [issue["path"] for issue in (await report(worker, id, bad))["issues"]] == [path]
        many = [file(f"{n}", [], [f"{n}" * 20_000]) for n in range(10, 26)]
        assert (await report(worker, id, *many))["code"] == "INVALID", "all hunks together"
        assert (await report(worker, id, lease={**worker.leases[id], "token": "x"}))["code"] == "LEASE_LOST"
        assert (await app.data(DIFF, id=id))["diff"] is None


async def test_two_siblings_are_compared(run):
    async with run() as app:
        _, card, worker, id = await at_work(app)
        base = [f"line {n}" for n in range(100)]
        one, two = base.copy(), base.copy()
        one[10], two[10], two[80:82] = "ONE", "TWO", []
        await report(
            worker, id, file("a.txt", base, one), file("same.txt", base, one), file("gone.txt", [], ["x"])
        )
        await worker.complete(id)
        second = await start(app, card, kind="TEST")
        await worker.take()
        await report(worker, second, file("a.txt", base, two), file("same.txt", base, one))
        diffs = [(await app.data(DIFF, id=of))["diff"]["id"] for of in (id, second)]
        compared = await app.data(COMPARE, base=diffs[0], head=diffs[1])
        assert compared["comparable"]
        assert [one["path"] for one in compared["files"]] == ["a.txt", "gone.txt"]
        assert (compared["files"][0]["additions"], compared["files"][0]["deletions"]) == (1, 3)
        assert "-ONE\n+TWO" in compared["files"][0]["hunks"]
        assert compared["files"][1]["hunks"] == "@@ -1,1 +0,0 @@\n-x"
        await report(worker, second, file("a.txt", base, two), baseSha="c" * 40)
        compared = await app.data(COMPARE, base=diffs[0], head=diffs[1])
        assert not compared["comparable"]
        assert {one["hunks"] for one in compared["files"]} == {None}
        _, _, other, foreign = await at_work(app)
        await report(other, foreign, file("a.txt", base, two))
        far = (await app.data(DIFF, id=foreign))["diff"]["id"]
        answer = await app.ask(COMPARE, base=diffs[0], head=far)
        assert answer["errors"][0]["extensions"]["code"] == "INVALID"


def patched(lines, hunks):
    """Apply hunks as `patch` does: a second, plain way."""
    out, at = [], 0
    for line in hunks.split("\n") if hunks else []:
        if line.startswith("@@"):
            low, count = [*line.split()[1][1:].split(","), "1"][:2]
            start = int(low) - 1 if int(count) else int(low)
            out += lines[at:start]
            at = start
        elif line.startswith("+"):
            out.append(line[1:])
        else:
            assert lines[at] == line[1:], (at, line)
            out += [] if line.startswith("-") else [lines[at]]
            at += 1
    return out + lines[at:]


def test_the_difference_of_two_changes_leads_from_one_file_to_the_other():
    rng = random.Random(7)

    def changed(lines):
        lines = lines.copy()
        for _ in range(rng.randint(0, 6)):
            at = rng.randint(0, len(lines))
            if rng.random() < 0.5:
                lines[at : at + rng.randint(0, 5)] = []
            else:
                lines[at:at] = [f"new {rng.randint(0, 9)}" for _ in range(rng.randint(1, 5))]
        return lines

    differing = 0
    for _ in range(500):
        base = [f"line {rng.randint(0, 30)}" for _ in range(rng.randint(0, 120))]
        one, two = changed(base), changed(base)
        text = interdiff(hunks_of(base, one), hunks_of(base, two))
        assert patched(one, text) == two
        differing += one != two
    assert differing > 400
