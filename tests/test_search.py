"""Full-text search: the same answers on both databases, in the change's own transaction, of one's own workspace."""

import json
import re

import pytest
from sqlalchemy import text, update

from models.card import Card
from tests.board import do
from tests.work import at_work

SEARCH = """query($w: ID!, $text: String!, $types: [SearchType!], $boards: [ID!], $first: Int, $after: String) {
  search(workspaceId: $w, text: $text, types: $types, boardIds: $boards, first: $first, after: $after) {
    totalCount pageInfo { endCursor hasNextPage }
    nodes { type boardId card { name } node { __typename id }
      title { text isMatch } excerpt { text isMatch } } } }"""


async def found(app, words, actor="", workspace=None, **more):
    answer = await app.data(SEARCH, actor, w=workspace or await app.home(), text=words, **more)
    return answer["nodes"]


async def names(app, words, actor="", **more):
    """The card of each result, with its type where it is no card."""
    return [
        one["card"]["name"] if one["type"] == "CARD" else f"{one['card']['name']} {one['type']}"
        for one in await found(app, words, actor, **more)
    ]


def marked(parts):
    return "".join(f"[{part['text']}]" if part["isMatch"] else part["text"] for part in parts)


async def test_cards_comments_and_summaries_are_found_and_follow_their_changes(run):
    async with run() as app:
        _, card, worker, id = await at_work(app)
        await do(app, "updateCard", id=card, description="Of the **garden** fence")
        said = await do(
            app, "postMessage", "... on Message { id }", cardId=card, body="In crème brûlée, please"
        )
        await worker.complete(id, "Painted the gate in vermilion")
        assert await names(app, "fence") == ["WEB-1"]
        assert await names(app, "CREME brulee") == ["WEB-1 COMMENT"]
        assert await names(app, "vermilion") == ["WEB-1 RUN"]
        assert await names(app, "paint") == ["WEB-1", "WEB-1 RUN"], "a title first; and longer words"
        assert await names(app, "paint", types=["RUN"]) == ["WEB-1 RUN"]
        await do(app, "updateCard", id=card, description="Of the wall")
        assert await names(app, "fence") == []
        assert await names(app, "wall") == ["WEB-1"]
        await do(app, "editMessage", id=said["id"], body="In vanilla")
        assert await names(app, "vanilla") == ["WEB-1 COMMENT"]
        await do(app, "deleteMessage", id=said["id"])
        assert await names(app, "vanilla") == []
        assert (await do(app, "deleteCard", id=card))["__typename"] == "Card"
        assert await names(app, "wall") == await names(app, "vermilion") == []


async def test_a_refused_change_leaves_no_entry(run):
    async with run() as app:
        board, _ = await app.has_board()
        bad = [{"title": "Lavender"}, {"title": " "}]
        assert (await do(app, "createCards", boardId=board, cards=bad))["code"] == "INVALID"
        assert await names(app, "lavender") == []


async def test_a_card_is_found_by_its_name_and_its_number_first(run):
    async with run() as app:
        await app.has_board("Paint", "Fix 1 lamp", "web 1")
        await app.has_board("Polish", name="Api")
        assert await names(app, "web-1") == ["WEB-1", "WEB-3"]
        assert await names(app, "#1") == ["API-1", "WEB-1", "WEB-3", "WEB-2"]
        assert await names(app, "2", types=["CARD"]) == ["WEB-2"]
        assert await names(app, "1", types=["COMMENT"]) == []
        assert await names(app, "WEB-9") == []
        assert await names(app, "999999999999") == []


async def test_results_are_ranked_and_paged_without_gaps(run):
    async with run() as app:
        titles = ["Other", "Login page of the login form", "Logins", "Login", "A login page"]
        board, cards = await app.has_board(*titles)
        await do(app, "updateCard", id=cards[0], description="The login page")
        every = await names(app, "login")
        assert every == ["WEB-4", "WEB-5", "WEB-2", "WEB-3", "WEB-1"], "whole title, word, beginning, text"
        assert await names(app, "login page") == ["WEB-5", "WEB-2", "WEB-1"]
        seen, after = [], None
        while True:
            page = await app.data(SEARCH, w=await app.home(), text="login", first=2, after=after)
            seen += [one["card"]["name"] for one in page["nodes"]]
            assert page["totalCount"] == 5
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        assert seen == every
        assert await names(app, "login", boards=[board]) == every
        other, _ = await app.has_board("Login elsewhere", name="Api")
        assert await names(app, "login", boards=[other]) == ["API-1"]
        assert await names(app, "login", boards=["nonsense') OR '"]) == []


async def test_matches_are_marked(run):
    async with run() as app:
        _, [card] = await app.has_board("Grüße aus Köln")
        await do(
            app, "updateCard", id=card, description="x " * 400 + "the Kölner Dom, at night " + "y " * 400
        )
        [one] = await found(app, "koln")
        assert marked(one["title"]) == "Grüße aus [Köln]"
        excerpt = marked(one["excerpt"])
        assert "the [Kölner] Dom, at night" in excerpt
        assert excerpt.startswith("…")
        assert excerpt.endswith("…")
        assert len(excerpt) < 300
        assert await names(app, "GRUSSE") == ["WEB-1"]


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("修复数据库连接", "数据"),
        ("データベースの修正", "修正"),
        ("แก้ไขฐานข้อมูล", "ข้อมูล"),
        ("Исправить вход", "ИСПРАВ"),
        ("Ελληνικά κείμενα", "κειμενα"),
        ("हिन्दी में लिखें", "हिन्दी"),
        ("데이터베이스 연결", "데이터"),
        ("إصلاح الدخول", "الدخول"),
        ("ＦＵＬＬ ｗｉｄｔｈ", "full"),
        ("call snake_case_name(x)", "case_name"),
        ("ﬁx the oﬃce", "office"),
        ("A", "a"),
        ("Ω", "ω"),
        ("字", "字"),
        ("ก", "ก"),
    ],
)
async def test_every_script_is_found(run, title, words):
    async with run() as app:
        await app.has_board("Something else", title)
        assert await names(app, words) == ["WEB-2"]


BAD = [
    '"',
    "'",
    "'''; DROP TABLE card; --",
    "a AND",
    "OR",
    "NOT x",
    "NEAR(a b)",
    "a*",
    "*",
    "(",
    "a:b",
    "words:x",
]
BAD += [
    "^a",
    "{a b}:c",
    "-a",
    "a & b",
    "a | !b",
    "a <-> b",
    "\\",
    "a:*",
    "%",
    "_",
    "😀",
    "١٢",
    "²",
    "$1",
    ":text",
]
BAD += ["{} ?", "x" * 500, "ab " * 166, "1", "-1", "WEB-", "a\u0301", "ﷺ", "İ", "ß" * 250]


async def test_no_text_is_an_error(run):
    async with run() as app:
        await app.has_board("plain words", "x AND y OR NOT near")
        for words in BAD:
            answer = await app.ask(SEARCH, w=await app.home(), text=words)
            assert "errors" not in answer, (words, answer)
        assert await names(app, '"plain" (words)') == ["WEB-1"]
        assert await names(app, "NOT x") == ["WEB-2"], "operators are words"
        assert await names(app, "words plain") == ["WEB-1"]
        assert await names(app, "plain nothing") == []
        for words in ("", "   ", "\u0301", "x" * 501, "x" * 10_000, "a\0b"):
            answer = await app.ask(SEARCH, w=await app.home(), text=words)
            code = "BAD_REQUEST" if "\0" in words else "INVALID"
            assert answer["errors"][0]["extensions"]["code"] == code, words


async def test_long_words_and_texts_are_cut_and_found(run):
    async with run() as app:
        _, [card] = await app.has_board("Long")
        await do(app, "updateCard", id=card, description="z" * 3_000 + " " + "many " * 9_000 + "last")
        assert await names(app, "z" * 400) == ["WEB-1"]
        assert await names(app, "many last") == ["WEB-1"]


async def test_each_sees_its_own(two):
    async with two() as (app, home, away):
        await away.mutate(
            "postMessage", {"cardId": away.ids["card"], "body": "the canary of another"}, away.actor("ann")
        )
        mine = await found(app, "canary", home.actor("ann"), workspace=home.ids["workspace"], first=100)
        assert {one["type"] for one in mine} >= {"CARD", "COMMENT"}
        assert len({one["boardId"] for one in mine}) > 1
        assert home.mark in json.dumps(mine)
        theirs = await found(app, "canary", away.actor("ann"), workspace=home.ids["workspace"])
        assert theirs == []
        key = await found(app, "canary", home.actor("board key"), workspace=home.ids["workspace"], first=100)
        assert {one["boardId"] for one in key} == {home.ids["board"]}
        assert len(key) == len([one for one in mine if one["boardId"] == home.ids["board"]])


async def test_a_page_takes_a_fixed_number_of_statements(run):
    async with run() as app:
        board, _ = await app.has_board("lamp")
        home = await app.home()

        async def cost(first):
            with app.counting() as statements:
                await app.data(SEARCH, w=home, text="lamp", first=first)
            return len(statements)

        few = await cost(10)
        await do(app, "createCards", boardId=board, cards=[{"title": f"lamp {n}"} for n in range(60)])
        assert await cost(60) == few
        print(few, "statements")


async def test_a_change_of_the_text_costs_one_statement_more(run):
    async with run() as app:
        board, [card] = await app.has_board("Paint")
        for change, more in (({"title": "Polish"}, 1), ({"priority": "HIGH"}, 0)):
            with app.counting() as statements:
                await do(app, "updateCard", id=card, **change)
            assert len([one for one in statements if "search_entry" in one]) == more
        with app.counting() as statements:
            await do(app, "createCards", boardId=board, cards=[{"title": f"{n}"} for n in range(100)])
        assert len([one for one in statements if "search_entry" in one]) == 1


async def test_no_statement_goes_around_the_index(run):
    async with run() as app:
        await app.has_board("Paint")
        with pytest.raises(AssertionError, match="flush"):
            async with app.begin() as tx:
                await tx.execute(update(Card).values(title="Polish"))


async def test_what_was_there_before_is_found_after_the_migration(run, fresh):
    """Cards and comments are indexed by the migration as a change of them would."""
    from kit.db.database import Database
    from kit.db.migrate import migrate

    url = await fresh()
    async with run(url) as app:
        _, [card, _] = await app.has_board("Paint the fence", "Ends")
        await do(app, "postMessage", cardId=card, body="vermilion")
        rows = text("SELECT id, type, title, words FROM search_entry ORDER BY id")
        before = await app.services.database.read(rows)
    database = Database(url)
    at = (await database.read(text("SELECT version_num FROM alembic_version")))[0][0]
    made = next(number for number in range(1, 100) if _adds_search(number))
    await migrate(database, f"{made - 1:04}", may_drop=True)
    await migrate(database, at)
    await database.close()
    async with run(url) as app:
        assert [tuple(row) for row in await app.services.database.read(rows)] == [
            tuple(row) for row in before
        ]
        assert await names(app, "vermilion") == ["WEB-1 COMMENT"]


def _adds_search(number):
    from kit.db.revision import FOLDER

    [path] = (FOLDER / "versions").glob(f"{number:04}_*.py")
    return re.search(r'create_table\(\s+"search_entry"', path.read_text()) is not None
