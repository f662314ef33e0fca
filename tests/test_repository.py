"""Repositories: what their URL may be, what their host tells of them, and which worker works in them."""

import asyncio
import time

import pytest

from tests.github_host import TOKEN, Reply, github
from tests.work import hand, queued

FIELDS = """id url host fullName defaultBranch selectedBranch latestCommit hasWebhookSecret syncedAt error
  disconnectedAt connection { id } version"""
ONE = f"query($id: ID!) {{ repository(id: $id) {{ {FIELDS} }} }}"
LOOPBACK = {"outbound_networks": "127.0.0.0/8"}
RESULTS = {
    "setBoardRepository": "Board { id repository { id } }",
    "replaceWebhookSecret": "WebhookSecret { secret path }",
}


async def do(app, name, actor="", /, **input):
    made = RESULTS.get(name, f"Repository {{ {FIELDS} }}")
    answer = f"__typename ... on {made} ... on Refusal {{ code message }}"
    answer += " ... on Invalid { issues { path message } }"
    query = f"mutation($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {answer} }} }}"
    return await app.data(query, actor, input=input)


async def connected(app, host, name="acme/web", **more):
    """The connection and the repository of a host, as it was synchronized."""
    make = "mutation($i: CreateConnectionInput!) { createConnection(input: $i) { ... on ConnectedService { id } } }"
    home = await app.home()
    given = {"workspaceId": home, "kind": "GITHUB_TOKEN", "name": "GitHub", "secret": TOKEN, "url": host.url}
    connection = (await app.data(make, i=given))["id"]
    url = f"{host.url}/{name}"
    made = await do(app, "connectRepository", workspaceId=home, url=url, connectionId=connection)
    return connection, await synced(app, made["id"])


async def until(look, within=20):
    """What a look gives once it is true."""
    deadline = time.monotonic() + within
    while not (found := await look()):
        assert time.monotonic() < deadline, "it did not come to be"
        await asyncio.sleep(0.02)
    return found


async def synced(app, id, is_so=lambda row: row["syncedAt"]):
    async def look():
        row = await app.data(ONE, id=id)
        return row if is_so(row) else None

    return await until(look)


async def test_a_repository_from_first_to_last(run):
    async with github() as host, run(**LOOPBACK) as app:
        remote = host.has()
        remote.branches["next"] = "b" * 40
        connection, row = await connected(app, host)
        assert (row["fullName"], row["defaultBranch"], row["error"]) == ("acme/web", "main", None)
        assert (row["latestCommit"], row["connection"]["id"]) == (remote.branches["main"], connection)
        await do(app, "selectBranch", id=row["id"], branch="next")
        row = await synced(app, row["id"], lambda row: row["latestCommit"] == "b" * 40)
        assert row["selectedBranch"] == "next"
        await do(app, "selectBranch", id=row["id"], branch="gone")
        row = await synced(app, row["id"], lambda row: row["error"])
        assert row["error"] == "Not found: Branch not found"
        gone = await do(app, "disconnectRepository", id=row["id"])
        assert gone["disconnectedAt"]
        assert (await do(app, "syncRepository", id=row["id"]))["code"] == "CONFLICT"
        again = await do(
            app,
            "connectRepository",
            workspaceId=await app.home(),
            url=row["url"].upper().replace("HTTP", "http"),
        )
        assert (again["id"], again["disconnectedAt"]) == (row["id"], None)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:word@github.com/acme/web",
        "https://me@github.com/acme/web",
        "file:///etc/passwd",
        "http://github.com/acme/web",
        "--upload-pack=touch /tmp/x",
        "https://github.com/--upload-pack/web",
        "https://github.com/acme",
        "https://github.com/acme/web/tree/main",
        "https://github.com/acme/..",
        "https://github.com/acme/web?x=1",
        "https://github.com/acme/web#x",
        "git@github.com:acme/web.git",
        "ext::sh -c id",
        "https://github.com/acme/we b",
        "https:///acme/web",
        "https://github.com:99999/acme/web",
        "",
    ],
)
async def test_what_is_no_repository(run, url):
    async with run() as app:
        told = await do(app, "connectRepository", workspaceId=await app.home(), url=url)
        assert [issue["path"] for issue in told["issues"]] == ["url"]


async def test_a_host_is_written_one_way(run):
    async with run() as app:
        home, ids = await app.home(), set()
        for url in (
            "https://GitHub.com/Acme/Web",
            "https://www.github.com:443/acme/web.git",
            " https://github.com/acme/web/ ",
        ):
            made = await do(app, "connectRepository", workspaceId=home, url=url)
            ids.add(made["id"])
            assert (made["url"], made["host"]) == ("https://github.com/Acme/Web", "github.com")
        assert len(ids) == 1


async def test_a_secret_goes_to_its_own_host_only(run):
    async with github() as host, run(**LOOPBACK) as app:
        host.has()
        connection, _ = await connected(app, host)
        url = "https://github.com/acme/web"
        told = await do(
            app, "connectRepository", workspaceId=await app.home(), url=url, connectionId=connection
        )
        assert [issue["path"] for issue in told["issues"]] == ["connectionId"]


async def test_a_rate_limit_is_waited_for(run):
    async with github() as host, run(**LOOPBACK) as app:
        host.has()
        limit = Reply(
            403, {"message": "API rate limit exceeded"}, {"retry-after": "0", "x-ratelimit-remaining": "0"}
        )
        host.faults = [limit]
        _, row = await connected(app, host)
        assert row["error"] is None
        assert len(host.calls("GET", "/repos/acme/web")) == 2


async def test_a_new_repository_under_an_old_name_is_told(run):
    async with github() as host, run(**LOOPBACK) as app:
        remote = host.has()
        _, row = await connected(app, host)
        remote.id += 1
        await do(app, "syncRepository", id=row["id"])
        row = await synced(app, row["id"], lambda row: row["error"])
        assert row["error"] == "Another repository has that name now; connect it anew"


async def test_a_webhook_secret_is_shown_once(run):
    async with run() as app:
        home = await app.home()
        made = await do(app, "connectRepository", workspaceId=home, url="https://github.com/acme/web")
        told = await do(app, "replaceWebhookSecret", id=made["id"])
        assert (len(told["secret"]), told["path"]) == (43, "/webhooks/github")
        row = await app.data(ONE, id=made["id"])
        assert row["hasWebhookSecret"]
        assert told["secret"] not in str(row)


async def test_a_worker_is_given_runs_of_its_repositories_only(run):
    async with run() as app:
        home = await app.home()
        board, [card] = await app.has_board("One")
        made = await do(app, "connectRepository", workspaceId=home, url="https://github.com/acme/web")
        assert (await do(app, "setBoardRepository", boardId=board, repositoryId=made["id"]))["repository"]
        run_id = await queued(app, card)
        other = await hand(app, "other", repositories=["github.com/acme/app"])
        none = await hand(app, "none", repositories=[])
        own = await hand(app, "own", repositories=["GitHub.com/Acme/Web"])
        assert await other.claim() == await none.claim() == []
        assert await own.take() == run_id


async def test_a_list_is_one_statement(run):
    async with run() as app:
        home = await app.home()
        for n in range(5):
            await do(app, "connectRepository", workspaceId=home, url=f"https://github.com/acme/r{n}")
        ask = "query($id: ID!) { repositories(workspaceId: $id) { fullName connection { id } } }"
        with app.counting() as statements:
            assert len(await app.data(ask, id=home)) == 5
        assert len(statements) == 2, statements
