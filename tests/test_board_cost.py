"""What a board page costs: as many statements for 500 cards as for 10, within the limits of one operation."""

import itertools

from sqlalchemy import insert

from actions.card import NewCardInput, create_cards
from actions.link import link_cards
from actions.move import DestinationInput
from actions.validation import folded
from kit.settings import Settings
from models.card import CardAssignee, CardLabel, LinkKind, Priority, Subtask
from models.message import Message
from models.stage import Stage
from models.workspace import Label
from tests.board import reads

PAGE = """query Page($id: ID!) { board(id: $id) {
  name seq cursor openCardCount cardCounts { stage count }
  columns { id name stage wipLimit cardCount }
  cards(first: 500) { totalCount nodes {
    id name title priority type dueOn overdue columnId version
    subtasks { id title completed phase } subtaskCount { done total } messageCount
    labels { id name colour } assignees { id username } blockedBy { id } allowedStages } } } }"""
BY_COLUMN = """query Page($id: ID!) { board(id: $id) { columns { id name stage
  cards(first: 500) { nodes { id name title subtaskCount { done total } messageCount
    labels { name colour } assignees { username } moves { stage allowed } } } } } }"""
NEEDED = {
    "page": [
        "the board",
        "its topic",
        "its counts by stage",
        "its columns",
        "the counts of its columns",
        "its cards",
        "how many there are",
        "their subtasks",
        "their subtasks, counted",
        "their messages, counted",
        "their labels",
        "who they are assigned to",
        "the cards that block them",
        "what the actor may write",
        "the lanes, for the law",
        "the blockers, for the law",
        "what is at work on them, for the law",
    ],
    "by column": [
        "the board",
        "its columns",
        "their cards",
        "their subtasks, counted",
        "their messages, counted",
        "their labels",
        "who they are assigned to",
        "what the actor may write",
        "the lanes, for the law",
        "the blockers, for the law",
        "what is at work on them, for the law",
    ],
}


async def grow(app, actor, board, labels, start, end):
    """Bring a board from `start` to `end` cards, with everything that hangs on them, in rows."""
    async with app.begin(actor) as tx:
        made = []
        for first in range(start, end, 50):
            numbers = range(first, min(first + 50, end))
            news = [NewCardInput(title=f"card {n}", priority=Priority(n % 5)) for n in numbers]
            destination = DestinationInput(stage=list(Stage)[first // 50 % 3])
            cards = await create_cards(tx, actor, board_id=board, cards=news, destination=destination)
            made += [card.id for card in cards.cards]
        rows = {Subtask: [], CardLabel: [], CardAssignee: [], Message: []}
        for n, id in enumerate(made):
            of = {"card_id": id, "board_id": board}
            step = {**of, "phase": "One", "phase_order": 1}
            rows[Subtask] += [
                {**step, "title": f"step {k}", "completed": k < n % 5, "rank": f"a{k}"} for k in range(5)
            ]
            rows[CardLabel] += [{**of, "label_id": label} for label in labels[: 1 + n % 3]]
            rows[CardAssignee].append({**of, "user_id": actor.id})
            if n % 5 == 0:
                said = {"author_kind": actor.kind, "author_id": actor.id, "body": "Hello"}
                rows[Message].append({**of, **said})
        for table, them in rows.items():
            await tx.execute(insert(table), them)
        for one, other in itertools.pairwise(made[:20]):
            await link_cards(tx, actor, card_id=one, target_id=other, kind=LinkKind.BLOCKS)


async def test_a_board_page_costs_the_same_for_10_200_and_500_cards(run):
    async with run(points=1_000_000) as app:
        actor, (board, _) = app.owner, await app.has_board()
        home = await app.home()
        async with app.begin() as tx:
            rows = [
                Label(workspace_id=home, name=n, name_folded=folded(n), colour="#00FF00")
                for n in ("a", "b", "c")
            ]
            tx.add_all(rows)
            await tx.flush()
            labels = [row.id for row in rows]
        size, counts = 0, {}
        for end in (10, 200, 500):
            await grow(app, actor, board, labels, size, end)
            size = end
            for name, query in (("page", PAGE), ("by column", BY_COLUMN)):
                with app.counting() as statements:
                    found = await app.data(query, id=board)
                counts.setdefault(name, {})[end] = len(reads(statements))
                if name == "page":
                    cards = found["cards"]["nodes"]
                    assert (len(cards), found["cards"]["totalCount"], found["openCardCount"]) == (
                        end,
                        end,
                        end,
                    )
                    assert sum(one["count"] for one in found["cardCounts"]) == end
                    assert all(len(c["subtasks"]) == c["subtaskCount"]["total"] == 5 for c in cards)
                    assert all(c["allowedStages"][0] == "BACKLOG" for c in cards)
                else:
                    assert sum(len(c["cards"]["nodes"]) for c in found["columns"]) == end
        print("statements of a board page:", counts)
        for name, needed in NEEDED.items():
            assert counts[name] == dict.fromkeys((10, 200, 500), len(needed)), name
        if app.services.database.is_sqlite:
            await person_and_flood(run, app.services.settings.database_url, board)


async def person_and_flood(run, url, board):
    """A page of 500 cards asked every second, ten times, is answered; asked without a pause it soon is not.

    No time passes here: what comes back in the nine seconds between is there from the start.
    """
    said = Settings.model_fields
    points = said["points"].default + 9 * said["points_per_second"].default
    async with run(url, points=int(points), points_per_second=0.001) as app:
        codes = []
        while len(codes) < 25 and "RATE_LIMITED" not in codes:
            answer = await app.ask(PAGE, id=board)
            codes.append(answer["errors"][0]["extensions"]["code"] if "errors" in answer else None)
    print("pages of 500 cards until the limit:", len(codes))
    assert codes[:10] == [None] * 10
    assert "RATE_LIMITED" in codes[:20]


async def test_the_page_of_500_cards_is_within_the_limits_of_one_operation(run):
    async with run() as app:
        board, _ = await app.has_board("one")
        for query in (PAGE, BY_COLUMN):
            body = {"query": query, "variables": {"id": board}, "extensions": {"cost": True}}
            answer = (await app.client.post("/graphql", json=body)).json()
            assert "errors" not in answer
