"""Liveness asks nobody; readiness asks the database and says when the server is ending."""

import httpx2

from kit.graphql.http.draining import Draining
from kit.settings import load
from server import make_app
from tests.conftest import KEY


async def get(app, path):
    transport = httpx2.ASGITransport(app, client=("127.0.0.1", 5555))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        return await client.get(path)


async def test_it_is_alive_without_a_database_and_not_ready():
    app = make_app(
        load(database_url="postgresql://nobody@127.0.0.1:1/nothing", secret_key=KEY, _env_file=None)
    )
    assert (await get(app, "/livez")).status_code == 200
    assert (await get(app, "/readyz")).status_code == 503


async def test_it_is_ready_until_it_drains(fresh):
    draining = Draining()
    app = make_app(load(database_url=await fresh(), secret_key=KEY, _env_file=None), draining)
    async with app.router.lifespan_context(app):
        assert (await get(app, "/readyz")).status_code == 200
        draining.begin()
        assert (await get(app, "/readyz")).status_code == 503
        assert (await get(app, "/livez")).status_code == 200
