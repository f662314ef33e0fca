"""CONTRIBUTING.md's example is followed: the files it shows are written into a copy of the repository, and used."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = (
    pytest.mark.processes
)  # the copy has modules of the same names, so it is used by processes of its own

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = re.findall(r"^```python\n# (\S+?\.py)(?:, after `([^`]*)`)?\n(.*?)^```", PAGE, re.M | re.S)
MAX_LINES = 120  # that a noun takes
CREATE = """mutation($input: CreateMilestoneInput!) { createMilestone(input: $input) { __typename
  ... on Milestone { id name version } ... on Refusal { code message } } }"""
# A client in a process of the copy: it makes a workspace's owner, and asks.
CLIENT = """
import asyncio, json, sys
import httpx2
from auth.passwords import hash_password
from actions.account import make_owner
from kit.db.transaction import Author
from kit.settings import load
from server import make_app

async def main():
    app = make_app(load())
    async with app.router.lifespan_context(app):
        services = app.state.services
        async with services.event_log.transaction(Author("SYSTEM")) as tx:
            await make_owner(tx, "ann", await hash_password("a password for a test"))
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            async def ask(query, **variables):
                answer = await client.post("/graphql", json={"query": query, "variables": variables})
                return answer.json()
            signed = await ask('mutation { login(input: {username: "ann", password: "a password for a test"}) '
                               '{ ... on Session { accessToken } } }')
            client.headers["authorization"] = "Bearer " + signed["data"]["login"]["accessToken"]
            home = await ask("{ workspaces { nodes { id } } }")
            workspace = home["data"]["workspaces"]["nodes"][0]["id"]
            made = await ask(sys.argv[1], input={"workspaceId": workspace, "name": "Beta"})
            long = await ask(sys.argv[1], input={"workspaceId": workspace, "name": "x" * 101})
            node = await ask("query($id: ID!) { node(id: $id) { __typename ... on Milestone { name } } }",
                             id=made["data"]["createMilestone"]["id"])
            audit = await ask("query($id: ID!) { workspace(id: $id) { auditLog(first: 1) { nodes { type } } } }",
                              id=workspace)
    print(json.dumps({"made": made, "long": long, "node": node, "audit": audit}))

asyncio.run(main())
"""


def write_example(folder: Path) -> None:
    for path, anchor, text in BLOCKS:
        file = folder / path
        if not anchor:
            file.write_text(text)
            continue
        lines = file.read_text().split("\n")
        places = [number for number, line in enumerate(lines) if line == anchor]
        assert len(places) == 1, f"{path} has the line {anchor!r} {len(places)} times"
        lines.insert(places[0] + 1, text.rstrip("\n"))
        file.write_text("\n".join(lines))


def test_a_noun_is_small():
    assert len(BLOCKS) >= 8
    assert sum(text.count("\n") for _, _, text in BLOCKS) < MAX_LINES


async def test_the_example_adds_a_noun(tmp_path):
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if not name.startswith(("tests/", "bench/", "docs/")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    write_example(tmp_path)

    async def run(*words):
        environment = {
            "DATABASE_URL": "sqlite:///copy.sqlite3",
            "SECRET_KEY": "k" * 40,
            "PATH": "/usr/bin:/bin",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, cwd=tmp_path, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()[-3000:]
        return out.decode()

    [command] = re.findall(r"^python (server\.py migration .*)$", PAGE, re.M)
    script, _, title = command.partition(" migration ")
    await run(script, "migrate")
    await run(script, "migration", title.strip('"'))
    await run(script, "migrate")
    answers = json.loads((await run("-c", CLIENT, CREATE)).splitlines()[-1])
    assert answers["made"]["data"]["createMilestone"] | {"id": ""} == {
        "__typename": "Milestone", "id": "", "name": "Beta", "version": 1,
    }  # fmt: skip
    assert answers["long"]["data"]["createMilestone"]["code"] == "INVALID"
    assert answers["node"]["data"]["node"] == {"__typename": "Milestone", "name": "Beta"}
    assert answers["audit"]["data"]["workspace"]["auditLog"]["nodes"] == [{"type": "MilestoneCreated"}]
    printed = await run(script, "schema")
    assert "createMilestone(" in printed
    assert "type MilestoneCreated implements WorkspaceScopedEvent" in printed
