"""Boards whose repository is at a GitHub on loopback, for tests of pull requests."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from models.run import Run
from tests.github_host import GitHubHost, Repository
from tests.test_repository import LOOPBACK, connected, do, until
from tests.work import hand, queued

__all__ = ["LOOPBACK", "PULL", "Hosted", "change", "hosted", "until"]

PULL = """id state number url title body headBranch baseBranch headSha mergeable approvals commits ci error version
  origin repository { id }"""
CARD = f"query($id: ID!) {{ card(id: $id) {{ stage pullRequests {{ {PULL} }} }} }}"
BRANCH = "signalbox/web-1-paint"
HEAD = "c" * 40


@dataclass
class Hosted:
    """A board with a card whose work stands on a branch of its repository at the host."""

    app: Any
    host: GitHubHost
    remote: Repository
    repository: str
    board: str
    card: str

    async def look(self, card: str = "") -> Any:
        """The card's stage and its pull requests."""
        return await self.app.data(CARD, id=card or self.card)

    async def pull(self, is_so: Any = lambda pull: pull["number"], card: str = "") -> Any:
        """The card's only pull request, once it is so."""

        async def look() -> Any:
            pulls = (await self.look(card))["pullRequests"]
            return pulls[0] if pulls and is_so(pulls[0]) else None

        return await until(look)

    async def stands(self, stage: str) -> None:
        """Wait until the card is in a stage."""

        async def look() -> bool:
            return (await self.look())["stage"] == stage

        await until(look)

    async def changes(self, name: str, /, **input: Any) -> Any:
        return await change(self.app, name, **input)


async def change(app: Any, name: str, actor: str = "", /, **input: Any) -> Any:
    """What a mutation of pull requests answers."""
    if name == "updateBoardAutomation":
        made = "Board { automation { opened merged anyMerged staleDays } }"
    elif name in ("unlinkPullRequest", "discoverPullRequests", "undoPullRequestMove"):
        made = "Card { id stage }"
    else:
        made = f"PullRequest {{ {PULL} }}"
    answer = (
        f"__typename ... on {made} ... on Refusal {{ code message }} ... on Invalid {{ issues {{ path }} }}"
    )
    query = f"mutation($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {answer} }} }}"
    return await app.data(query, actor, input=input)


async def hosted(app: Any, host: GitHubHost, *, work: bool = True, id: int = 1296269) -> Hosted:
    """A connected repository, a board that has it, and a card in IN_PROGRESS, with finished work on a branch."""
    remote = host.has(id=id)
    remote.branches[BRANCH] = HEAD
    _, row = await connected(app, host)
    board, [card] = await app.has_board("Paint", template="PIPELINE")
    assert (await do(app, "setBoardRepository", boardId=board, repositoryId=row["id"]))["repository"]
    if work:
        worker = await hand(app)
        move = "mutation($i: MoveCardInput!) { moveCard(input: $i) { __typename } }"
        await app.data(move, i={"id": card, "destination": {"stage": "TODO"}})
        run = await queued(app, card, kind="CODE")
        assert await worker.take() == run
        await worker.complete(run, "Painted it red.", branch=BRANCH, headSha=HEAD)
        async with app.begin() as tx:
            await tx.execute(update(Run).where(Run.id == run).values(branch=BRANCH))
    return Hosted(app, host, remote, row["id"], board, card)
