"""The peers in Python."""

from starlette.applications import Starlette
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from bench.environment import KEY
from bench.peers.hand import hand
from kit.graphql.http.draining import Draining
from kit.graphql.http.serve import bind, serve
from kit.settings import load
from schema.build import _built
from server import make_app


def kept(url: str) -> Starlette:
    return make_app(load(database_url=url, secret_key=KEY, points=10**9, log_level="ERROR"))


def signalbox(url: str) -> Starlette:
    app = kept(url)
    app.state.unchanged.most = 0
    return app


def graphql_core(url: str) -> Starlette:
    _built().execution_context_class = StrawberryGraphQLCoreExecutionContext
    return signalbox(url)


def strawberry(url: str) -> Starlette:
    from bench.peers.plain import plain  # it gives our enums to a schema of its own

    return plain(url)


APPS = {
    "signalbox": signalbox,
    "kept": kept,
    "graphql-core": graphql_core,
    "strawberry": strawberry,
    "hand": hand,
}


def main(name: str, url: str, port: str) -> None:
    serve(APPS[name](url), bind("127.0.0.1", int(port)), draining=Draining(), grace=5, log_level="warning")
