"""The composition root: settings, database, feed, schema, Starlette; and the commands there are, which
cli.py does."""

import gc

if __name__ == "__main__":
    gc.disable()  # nothing that is imported is garbage, and looking for some costs a fifth of the start

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.websockets import WebSocket
from strawberry.types.graphql import OperationType

import cli
import kit.metrics
import worker.cli
from actions.file import free_periodically
from actions.job import JobRunner
from actions.notice_mail import mail_digests_periodically
from actions.pull_request_sync import poll_periodically
from actions.purge import purge_periodically
from actions.reminder import remind_periodically
from actions.run.sweep import sweep_periodically
from actions.run_log import RUN_LOG
from actions.watch import notify_periodically
from actions.webhook import MAX_WEBHOOK_BYTES, receive_webhook
from actions.webhook_endpoint.send import WebhookSender
from auth.authentication import identify
from auth.board_version import BoardVersion
from auth.passwords import Seal
from auth.revocation import CredentialWatch, RevocationWatcher
from auth.secrets import Secrets
from auth.services import Services
from auth.tokens import Tokens
from kit.db.clock import database_now
from kit.db.database import Database, Unavailable
from kit.db.server_clock import synchronize_periodically, try_to_synchronize
from kit.eventlog.event_log import make_event_log
from kit.eventlog.retention import prune_periodically
from kit.eventlog.tables import EVENTS
from kit.graphql.documents.persisted import BadManifest, PersistedDocuments, hash_of, read_manifests
from kit.graphql.errors import Code, ConnectionRejected, PublicError, to_public_error
from kit.graphql.http.draining import Draining
from kit.graphql.http.hosts import LOOPBACK, HostMiddleware
from kit.graphql.http.request_body import MAX_BODY_BYTES, is_browser
from kit.graphql.http.view import GraphQLEndpoint
from kit.graphql.limits.rate import TokenBucket
from kit.graphql.operation import begin_operation
from kit.graphql.response_cache import ResponseCache
from kit.graphql.schema import Schema
from kit.outbound import Outbound
from kit.settings import Settings, WrongSetting
from resolvers.avatar import show_avatar, upload_avatar
from resolvers.context import Caller, OperationContext
from resolvers.examples import example_values
from resolvers.file_transfer import download_file, upload_file
from resolvers.idempotency import clean_up_periodically
from resolvers.identity import finish_sign_in, start_sign_in
from resolvers.mail import receive_mail_report
from resolvers.metrics import read_samples
from schema.build import make_schema
from schema.cacheable import BOARD, PEOPLE
from worker.tools.endpoint import McpEndpoint

ROOT = Path(__file__).parent
EXPLORER = ROOT / "explorer"
PAGE = ROOT / "page"
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'self'"
)

# What pages of allowed origins may send besides what every page may: ours, and what clients of GraphQL, tracers and
# readers of event streams add.
CORS_HEADERS = (
    *("authorization", "content-type", "idempotency-key", "if-none-match", "x-request-id", "graphql-cost"),
    *("apollographql-client-name", "apollographql-client-version", "apollo-require-preflight"),
    *("graphql-require-preflight", "x-require-preflight", "x-requested-with", "x-apollo-operation-name"),
    *(
        "x-apollo-operation-id",
        "apollo-federation-include-trace",
        "graphql-client-name",
        "graphql-client-version",
    ),
    *(
        "traceparent",
        "tracestate",
        "baggage",
        "sentry-trace",
        "b3",
        "x-b3-traceid",
        "x-b3-spanid",
        "x-b3-sampled",
    ),
    *("x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-origin", "x-datadog-sampling-priority"),
    *("newrelic", "last-event-id", "cache-control", "pragma"),
)


def make_services(settings: Settings) -> Services:
    """The machines, not started yet."""
    event_log = make_event_log(settings)
    return Services(
        settings=settings,
        database=event_log.database,
        event_log=event_log,
        tokens=Tokens(
            settings.keys,
            timedelta(minutes=settings.access_minutes),
            idle=timedelta(days=settings.refresh_days),
            most=timedelta(days=settings.refresh_most_days),
        ),
        seal=Seal(settings.keys),
        secrets=Secrets(settings.keys),
        outbound=Outbound(settings.outbound_networks),
    )


class Endpoints:
    """What the HTTP server shows of a house."""

    def __init__(self, services: Services, draining: Draining, schema: Schema) -> None:
        self.services, self.draining, self.schema = services, draining, schema
        self.accesses = RevocationWatcher(services)
        self.metrics: kit.metrics.Metrics | None = None

    async def context_of(self, request: Request) -> OperationContext:
        return await self._context(request, request.headers.get("authorization"))

    async def check_upload(self, request: Request) -> None:
        """Let only callers who may write send files."""
        actor, why = await identify(self.services, request.headers.get("authorization"))
        if actor is None:
            text = str(why or "Sign in, or send an API key")
            raise PublicError(text, code=Code.UNAUTHENTICATED, status=401)
        if not actor.may_write:
            raise PublicError("A key that only reads cannot upload", code="FORBIDDEN", status=403)

    async def prove(
        self, request: Request, id: str, types: frozenset[str]
    ) -> tuple[OperationContext, str | None]:
        """The context, and how far the board is that is asked for, if all of it is the asker's to see."""
        board_version = BoardVersion(id, people=PEOPLE in types)
        context = await self._context(request, request.headers.get("authorization"), board_version)
        return context, board_version.validator

    async def authenticate(self, socket: WebSocket, params: dict[str, Any]) -> OperationContext:
        given = next((v for k, v in params.items() if k.lower() == "authorization"), None)
        context = await self._context(socket, given if isinstance(given, str) else None)
        failure = context.caller.failure
        if given is not None and failure is not None:
            raise ConnectionRejected(failure.message, reason=failure.reason)
        return context

    async def _context(
        self,
        connection: Request | WebSocket,
        authorization: str | None,
        board_version: BoardVersion | None = None,
    ) -> OperationContext:
        actor, why = await identify(self.services, authorization, board_version=board_version)
        caller = Caller(
            actor,
            failure=why,
            revoked=CredentialWatch(self.accesses, actor) if actor else None,
            address=connection.client.host if connection.client else "",
            user_agent=connection.headers.get("user-agent", ""),
            idempotency_key=connection.headers.get("idempotency-key"),
        )
        return OperationContext(self.services, caller)

    def explorer(self, request: Request) -> Response:
        return _html(EXPLORER)

    async def home(self, request: Request) -> Response:
        """The board for a browser. Other clients are told where the API is; a redirect keeps what follows #."""
        if self.services.settings.board_page and is_browser(request):
            return _html(PAGE)
        return Response(status_code=307, headers={"location": "graphql"})

    async def examples(self, request: Request) -> Response:
        actor, _ = await identify(self.services, request.headers.get("authorization"))
        values = await example_values(self.services.database, actor)
        found = []
        for path in sorted((EXPLORER / "examples").glob("*.graphql")):
            beside = path.with_suffix(".json")
            variables = json.loads(beside.read_text()) if beside.exists() else {}
            variables |= {name: value for name, value in values.items() if name in variables}
            found.append({"name": path.stem, "query": path.read_text(), "variables": variables or None})
        return JSONResponse(found, headers={"cache-control": "no-store"})

    async def may_use_tools(self, request: Request) -> tuple[str, str] | None:
        actor, why = await identify(self.services, request.headers.get("authorization"))
        if actor is not None:
            return None
        return "UNAUTHENTICATED", str(why) if why else "Sign in, or send an API key"

    async def use_tool(self, request: Request, name: str, query: str, variables: dict[str, Any]) -> Any:
        """One operation behind a tool for agents, asked as whoever sent the request."""
        operation = begin_operation("mcp", request.headers.get("x-request-id"))
        context = await self.context_of(request)
        caller = replace(
            context.caller, idempotency_key=None
        )  # it is for one operation, a tool may run several
        context = OperationContext(self.services, caller)
        result = await self.schema.execute(
            query,
            variable_values=variables,
            context_value=context,
            operation_name=name,
            allowed_operation_types={OperationType.QUERY, OperationType.MUTATION},
        )
        public_errors = [
            to_public_error(error, self.schema.policy.explain, operation.request_id)
            for error in result.errors or ()
        ]
        return {"data": result.data} | (
            {"errors": [error.formatted for error in public_errors]} if public_errors else {}
        )

    async def webhook(self, request: Request) -> Response:
        """A delivery of a code host: stored and answered; a job applies it."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_WEBHOOK_BYTES:
                return PlainTextResponse("too large\n", 413, headers={"connection": "close"})
        try:
            provider = request.path_params["provider"]
            receipt = await receive_webhook(self.services, provider, request.headers, bytes(body))
        except Unavailable:
            return PlainTextResponse("the database does not answer\n", 503, headers={"retry-after": "10"})
        return PlainTextResponse(f"{receipt.word}\n", receipt.status)

    async def livez(self, request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def show_metrics(self, request: Request) -> Response:
        """The metrics of this process, for whoever has METRICS_TOKEN."""
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not secrets.compare_digest(
            given.encode(), self.services.settings.metrics_token.get_secret_value().encode()
        ):
            return PlainTextResponse("send METRICS_TOKEN as the bearer token\n", 401)
        assert self.metrics is not None, "the route exists with a token only"
        try:
            samples = await read_samples(self.services.database)
        except Unavailable:
            samples = []
        samples.append(
            ("signalbox_database_up", "Whether the database answered this scrape.", {}, bool(samples))
        )
        text = kit.metrics.render(self.metrics, samples)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    def measure(self) -> None:
        """Begin to count what /metrics shows."""
        self.metrics = metrics = kit.metrics.start()
        database, pubsub = self.services.database, self.services.event_log.pubsub
        metrics.gauge("signalbox_streams", "Open sockets and streams.", lambda: self.draining.open_streams)
        metrics.gauge("signalbox_readers", "Connections that read, in use.", lambda: database.readers.busy)
        metrics.gauge(
            "signalbox_bus_up", "1: notifications of other processes arrive.", lambda: pubsub.is_proven
        )

    async def readyz(self, request: Request) -> Response:
        if self.draining.announced:
            return PlainTextResponse("draining\n", 503)
        try:
            await self.services.database.check()
        except Exception:
            return PlainTextResponse("the database does not answer\n", 503)
        return PlainTextResponse("ok\n")


class BuiltFiles(StaticFiles):
    """Files whose names change with their bytes: a browser asks for each once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def _html(built: Path) -> Response:
    headers = {"cache-control": "no-store", "content-security-policy": POLICY}
    return FileResponse(built / "dist" / "index.html", headers=headers)


def _built(built: Path) -> ASGIApp:
    """The assets of a page, compressed for clients that take it."""
    return GZipMiddleware(BuiltFiles(directory=built / "dist" / "assets"))


def _origins(settings: Settings) -> TokenBucket | None:
    """What the callers of one address may spend together."""
    callers = settings.callers_per_address
    what = "Rate limit of the address exceeded"
    points, refill = callers * settings.points, callers * settings.points_per_second
    return TokenBucket(points, refill, what=what) if callers else None


def trusted_documents(settings: Settings) -> dict[str, str]:
    """The documents that clients may name: the operator's, and those that our workers and tools send as texts.

    Raises WrongSetting.
    """
    from worker.tools.session import operations as tool_operations
    from worker.transport import operations as worker_operations

    try:
        given = read_manifests(Path(settings.trusted_documents)) if settings.trusted_documents else {}
    except BadManifest as error:
        raise WrongSetting(f"TRUSTED_DOCUMENTS: {error}") from None
    if not settings.trusted_documents_only:
        return given
    own = {*tool_operations().values(), *worker_operations().values()}
    return given | {f"sha256:{hash_of(text)}": text for text in own}


def make_app(settings: Settings, draining: Draining | None = None) -> Starlette:
    """The whole application on one database. Starts with Starlette's lifespan."""
    services = make_services(settings)
    schema = make_schema(
        bucket=TokenBucket(settings.points, settings.points_per_second),
        origins=_origins(settings),
        introspection=settings.introspection,
    )
    edge = Endpoints(services, draining or Draining(), schema)
    tools = McpEndpoint(edge.may_use_tools, edge.use_tool, edge.draining)
    kept = {EVENTS: settings.history_days, RUN_LOG: settings.run_log_days}
    unchanged = ResponseCache(BOARD, edge.prove)
    persisted = PersistedDocuments(trusted_documents(settings), only=settings.trusted_documents_only)
    view = GraphQLEndpoint(
        schema,
        context_of=edge.context_of,
        authenticate=edge.authenticate,
        explorer=edge.explorer if settings.graphiql else None,
        draining=edge.draining,
        unchanged=unchanged,
        persisted=persisted,
        allowed_origins=settings.allowed_origins,
        uploads=True,
        check_upload=edge.check_upload,
        max_upload=settings.file_bytes + MAX_BODY_BYTES,
        queries_by_get=settings.introspection,
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        keeping: asyncio.Future[Any] | None = None
        try:
            await services.event_log.pubsub.start(required=False)
            ask = partial(moment_of, services.database)
            await try_to_synchronize(ask)  # before anything is judged; without a database nothing is
            keeping = asyncio.gather(
                synchronize_periodically(ask),
                clean_up_periodically(services.database),
                prune_periodically(services.event_log, kept),
                sweep_periodically(services.event_log),
                purge_periodically(services.database, settings.bin_days),
                JobRunner(services).run(),
                poll_periodically(services.event_log),
                WebhookSender(services).run(),
                notify_periodically(services.event_log),
                remind_periodically(services.event_log),
                mail_digests_periodically(services),
                free_periodically(services.event_log),
                return_exceptions=True,  # cancelled, it is done when all are, not when the first is
            )
            yield
        finally:  # also when it did not start: an open SQLite file keeps a process alive
            await tools.close()
            if keeping is not None:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
            edge.accesses.stop()
            await services.uses.settle()
            await services.outbound.close()
            services.files.close()
            await services.event_log.pubsub.stop()
            await services.database.close()

    routes = [
        Route("/", edge.home),
        Route("/graphql", view),
        WebSocketRoute("/graphql", view),
        Route("/mcp", tools),
        Route("/webhooks/mail", partial(receive_mail_report, services), methods=["POST"]),
        Route("/webhooks/{provider}", edge.webhook, methods=["POST"]),
        Route("/avatar", partial(upload_avatar, services), methods=["POST"]),
        Route("/avatars/{key}", partial(show_avatar, services)),
        Route("/files", partial(upload_file, services), methods=["POST"]),
        Route("/files/{id}", partial(download_file, services)),
        Route("/auth/{provider}/start", partial(start_sign_in, services)),
        Route("/auth/{provider}/callback", partial(finish_sign_in, services)),
        Route("/livez", edge.livez),
        Route("/readyz", edge.readyz),
        Route("/explorer/examples.json", edge.examples),
        Mount("/explorer/assets", _built(EXPLORER)),
        Mount("/page/assets", _built(PAGE)),
    ]
    if settings.metrics_token.get_secret_value():
        edge.measure()
        routes.append(Route("/metrics", edge.show_metrics))
    app = Starlette(routes=routes, lifespan=lifespan, middleware=middleware(settings))
    app.state.services, app.state.unchanged = services, unchanged
    return app


async def moment_of(database: Database) -> datetime:
    """What time it is by the database's clock."""
    [[moment]] = await database.read(select(database_now()))
    return moment  # type: ignore[no-any-return]


def middleware(settings: Settings) -> list[Middleware]:
    """What every request passes first: our names, and pages of other origins where they are allowed."""
    hosts = [*settings.allowed_hosts, *(LOOPBACK if settings.is_loopback else ())]
    origins = settings.allowed_origins
    found = [Middleware(HostMiddleware, hosts=hosts, origins=origins, probed=["/livez", "/readyz"])]
    if origins:
        shown = ["etag", "x-request-id", "retry-after", "ratelimit", "ratelimit-policy"]
        shown += ["location", "content-disposition", "content-range", "accept-ranges"]
        found.append(
            Middleware(
                CORSMiddleware,
                allow_origins=origins,
                allow_methods=["GET", "POST"],
                allow_headers=CORS_HEADERS,
                expose_headers=shown,
            )
        )
    return found


command_line = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Signalbox: boards that people and agents work.",
)


@command_line.callback()
def _started(
    version: Annotated[
        bool, typer.Option("--version", callback=cli.print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    gc.freeze()
    gc.set_threshold(
        20_000
    )  # an answer is thousands of objects, and none of them is garbage of the kind it looks for
    gc.enable()


@command_line.command()
def serve(
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Bring the database to the newest schema first.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, instead of PORT.")] = None,
    database: Annotated[str | None, typer.Option(help="Database address, instead of DATABASE_URL.")] = None,
) -> None:
    """Serve the API and GraphiQL."""
    given = {"host": host, "port": port, "database_url": database}
    cli.serve(make_app, migrate=migrate, given={k: v for k, v in given.items() if v is not None})


@command_line.command()
def demo(
    speed: Annotated[
        float, typer.Option(min=0.1, max=100, help="How fast its people and agents are: 10 is ten times.")
    ] = 1.0,
) -> None:
    """Serve a live board with sample data: made on the first start, in demo.sqlite3 unless told otherwise."""
    from demo import commands

    commands.demo(make_app, speed=speed)


command_line.command()(cli.doctor)
command_line.command()(cli.secret)
command_line.command()(cli.owner)
command_line.command()(cli.link)
command_line.command()(cli.migrate)
command_line.command()(cli.migration)


@command_line.command()
def seed() -> None:
    """Create the demo workspace with people, boards and cards. Existing data stays."""
    from demo import commands

    commands.seed()


command_line.command()(cli.reset)
command_line.command()(cli.restored)
command_line.command("import")(cli.import_board_file)
command_line.command("export")(cli.export_board_file)
command_line.command()(worker.cli.worker)
command_line.command("mcp")(worker.cli.tools)
command_line.command("recording")(worker.cli.record)
command_line.command("schema")(cli.print_schema)
command_line.command("stages")(cli.print_stages)


if __name__ == "__main__":
    command_line()
