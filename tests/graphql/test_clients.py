"""Clients and suites that nobody here wrote, against a real server.

The scripts in tests/clients take the address and the operations as arguments: `run` serves any
server, and OPERATIONS is all that knows the toy.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from gql import Client, gql
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

from tests.graphql.serving import Server, serving

pytestmark = pytest.mark.processes

CLIENTS = Path(__file__).parents[1] / "clients"
OPERATIONS = {
    "query": "{ __typename }",
    "mutation": "mutation { touch }",
    "bad": "{ thereIsNoSuchField }",
    "subscription": "subscription { count(to: 3) }",
    "endless": "subscription { count(to: 1000000, every: 0.01) }",
}
SUITES = {"audits": 61, "graphql-ws": 19, "graphql-sse": 4, "urql": 6, "apollo": 6}


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


async def run(script: str, url: str, operations: Any) -> list[str]:
    """Run one script and return its lines, each "ok ..." or "FAIL ..."."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not (CLIENTS / "node_modules").is_dir():
        pytest.skip("run `npm ci` in tests/clients first")
    process = await asyncio.create_subprocess_exec(
        "node",
        f"{script}.mjs",
        url,
        json.dumps(operations),
        cwd=CLIENTS,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return out.decode().splitlines()


@pytest.mark.parametrize("script", SUITES)
async def test_a_client_of_the_world(server: Server, script: str) -> None:
    lines = await run(script, f"{server.url}/graphql", OPERATIONS)
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert len(lines) == SUITES[script]


async def test_the_python_client(server: Server) -> None:
    url = f"{server.url}/graphql"
    async with Client(transport=HTTPXAsyncTransport(url), fetch_schema_from_transport=True) as http:
        assert await http.execute(gql("{ hello }")) == {"hello": "world"}
        assert http.client.schema is not None
    socket = WebsocketsTransport(url.replace("http", "ws"), init_payload={"authorization": "ann"})
    async with Client(transport=socket) as session:
        found = [item async for item in session.subscribe(gql(OPERATIONS["subscription"]))]
    assert found == [{"count": 0}, {"count": 1}, {"count": 2}]
