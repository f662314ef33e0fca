"""A small GitHub on loopback: it judges every request by GitHub's published description, and can fail in its ways.

The description and the example answers in tests/data/github are GitHub's own. A request that the description does
not allow is answered 418 and noted in `wrong`, which each test checks at its end.
"""

import asyncio
import contextlib
import copy
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema

DATA = Path(__file__).parent / "data" / "github"
DESCRIPTION = json.loads((DATA / "openapi.json").read_text())
EXAMPLES = json.loads((DATA / "examples.json").read_text())
WEBHOOKS = json.loads((DATA / "webhooks.json").read_text())
TOKEN = "ghp_a_token_for_tests_and_nothing_else"
ROOT = "/api/v3"
SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    given: dict[str, str] = field(default_factory=dict)  # parameters of the path


@dataclass
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    is_lost: bool = False  # the request has its effect; the connection ends without an answer


@dataclass
class Repository:
    """A repository of the host."""

    id: int
    name: str  # owner/name
    default: str = "main"
    branches: dict[str, str] = field(default_factory=lambda: {"main": SHA})
    protected: set[str] = field(default_factory=lambda: {"main"})
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    checks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # check runs by commit
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)


class GitHubHost:
    """The host. `faults` are the replies to the next requests; None lets one through."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.tokens = {TOKEN}
        self.faults: list[Reply | Callable[[Request], Reply | None] | None] = []
        self.seen: list[Request] = []
        self.wrong: list[str] = []
        self.issued = 0
        self.url = ""
        self.writers: set[asyncio.StreamWriter] = set()

    def has(self, name: str = "acme/web", id: int = 1296269) -> Repository:
        self.repositories[name] = repository = Repository(id, name)
        return repository

    def calls(self, method: str, path: str) -> list[Request]:
        return [one for one in self.seen if one.method == method and re.fullmatch(path, one.path)]

    # What the description says.

    def judge(self, request: Request) -> str | None:
        """The path template of a request. Raises AssertionError if the description does not allow it."""
        for template, operations in DESCRIPTION["paths"].items():
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
            if template.endswith("{ref}"):
                pattern = pattern.replace("(?P<ref>[^/]+)", "(?P<ref>.+)")
            found = re.fullmatch(pattern, request.path)
            if found and request.method.lower() in operations:
                request.given = {key: unquote(text) for key, text in found.groupdict().items()}
                self._judge_operation(operations[request.method.lower()], request)
                return str(template)
        raise AssertionError(f"{request.method} {request.path} is no operation")

    def _judge_operation(self, operation: dict[str, Any], request: Request) -> None:
        declared = {one["name"]: one for one in map(_resolved, operation.get("parameters", ()))}
        for name, text in request.query.items():
            assert declared.get(name, {}).get("in") == "query", f"{name} is no parameter"
            _check(_typed(text, declared[name]["schema"]), declared[name]["schema"])
        for name, parameter in declared.items():
            if parameter["in"] == "path":
                _check(_typed(request.given[name], parameter["schema"]), parameter["schema"])
        assert request.headers.get("user-agent"), "GitHub refuses requests without a User-Agent"
        assert request.headers["accept"] == "application/vnd.github+json"
        assert request.headers["x-github-api-version"] == "2022-11-28"
        wanted = operation.get("requestBody")
        if wanted is None or request.body is None:
            assert request.body is None, "a body is sent where none is taken"
            assert wanted is None or not wanted.get("required"), "the body is missing"
            return
        schema = _resolved(wanted["content"]["application/json"]["schema"])
        _check(request.body, schema)
        assert set(request.body) <= set(schema["properties"]), "a field is sent that is not described"

    # Answers.

    def answer(self, request: Request) -> Reply:
        self.seen.append(request)
        try:
            template = self.judge(request)
        except (AssertionError, KeyError, jsonschema.ValidationError) as error:
            self.wrong.append(f"{request.method} {request.path}: {error}")
            return Reply(418, {"message": str(error)})
        fault = self.faults.pop(0) if self.faults else None
        fault = fault(request) if callable(fault) else fault
        if fault is not None and not fault.is_lost:
            return fault
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if template == "/app/installations/{installation_id}/access_tokens":
            self.issued += 1
            issued = f"ghs_{self.issued}_{'x' * 30}"
            self.tokens.add(issued)
            return Reply(201, {"token": issued, "expires_at": "2099-01-01T00:00:00Z", "permissions": {}})
        if token not in self.tokens:
            return Reply(401, {"message": "Bad credentials"})
        reply = self._act(str(template), request)
        if fault is not None:
            return fault
        if request.method == "GET" and reply.status == 200 and reply.body is not None:
            etag = f'W/"{hashlib.sha256(json.dumps(reply.body).encode()).hexdigest()[:16]}"'
            reply.headers["etag"] = etag
            if request.headers.get("if-none-match") == etag:
                return Reply(304, None, {"etag": etag})
        return reply

    def _act(self, template: str, request: Request) -> Reply:
        if template == "/user":
            return Reply(200, {**EXAMPLES["get /user"], "login": "octocat"})
        if template in ("/user/repos", "/installation/repositories"):
            rows, links = self._page(list(self.repositories.values()), request)
            body: Any = [self.show(row) for row in rows]
            if template != "/user/repos":
                body = {"total_count": len(self.repositories), "repositories": body}
            return Reply(200, body, links)
        repository = self.repositories.get(f"{request.given['owner']}/{request.given['repo']}")
        if repository is None:
            return Reply(404, {"message": "Not Found"})
        return self._act_on(repository, template.removeprefix("/repos/{owner}/{repo}"), request)

    def _act_on(self, repository: Repository, what: str, request: Request) -> Reply:
        given, body = request.given, request.body
        if what == "":
            return Reply(200, self.show(repository))
        if what == "/branches":
            rows, links = self._page(sorted(repository.branches), request)
            return Reply(200, [self.branch(repository, name) for name in rows], links)
        if what == "/branches/{branch}":
            if given["branch"] not in repository.branches:
                return Reply(404, {"message": "Branch not found"})
            return Reply(200, self.branch(repository, given["branch"]))
        if what == "/pulls" and request.method == "GET":
            owner, _, head = request.query.get("head", "").partition(":")
            found = [pull for pull in repository.pulls.values() if pull["head"]["ref"] == head]
            return Reply(200, list(reversed(found)) if repository.name.startswith(f"{owner}/") else [])
        if what == "/pulls":
            is_open = [
                p
                for p in repository.pulls.values()
                if p["head"]["ref"] == body["head"] and p["state"] == "open"
            ]
            if body["head"] not in repository.branches or is_open:
                message = "A pull request already exists" if is_open else "head is invalid"
                return Reply(422, {"message": "Validation Failed", "errors": [{"message": message}]})
            return Reply(201, self.open(repository, **body))
        if what == "/git/refs/{ref}":
            branch = given["ref"].removeprefix("heads/")
            if branch not in repository.branches:
                return Reply(422, {"message": "Reference does not exist"})
            del repository.branches[branch]
            return Reply(204)
        if what == "/commits/{ref}/check-runs":
            runs = repository.checks.get(given["ref"], [])
            return Reply(200, {"total_count": len(runs), "check_runs": runs})
        if what == "/commits/{ref}/status":
            statuses = repository.statuses.get(given["ref"], [])
            return Reply(200, {**EXAMPLES[f"get /repos/{{owner}}/{{repo}}{what}"], "statuses": statuses})
        if what == "/actions/jobs/{job_id}/logs":
            if given["job_id"] not in repository.logs:
                return Reply(404, {"message": "Not Found"})
            return Reply(
                302, None, {"location": f"{self.url}/logs/{given['job_id']}?repository={repository.name}"}
            )
        pull = repository.pulls.get(int(given["pull_number"]))
        if pull is None:
            return Reply(404, {"message": "Not Found"})
        if what.endswith("/reviews"):
            return Reply(200, repository.reviews.get(pull["number"], []))
        if request.method == "PATCH":
            base = {"base": {**pull["base"], "ref": body["base"]}} if "base" in body else {}
            pull |= {**body, **base, "updated_at": "2030-01-01T00:00:00Z"}
        return Reply(200, pull)

    def _page(self, rows: list[Any], request: Request) -> tuple[list[Any], dict[str, str]]:
        size, page = int(request.query.get("per_page", 30)), int(request.query.get("page", 1))
        links = {}
        if page * size < len(rows):
            target = f"{self.url}{ROOT}{request.path}?per_page={size}&page={page + 1}"
            links = {"link": f'<{target}>; rel="next", <{target}>; rel="last"'}
        return rows[(page - 1) * size : page * size], links

    def show(self, repository: Repository) -> dict[str, Any]:
        """A repository as the host writes it."""
        example = copy.deepcopy(EXAMPLES["get /repos/{owner}/{repo}"])
        return {
            **example,
            "id": repository.id,
            "full_name": repository.name,
            "name": repository.name.split("/")[1],
            "html_url": f"{self.url}/{repository.name}",
            "default_branch": repository.default,
            "owner": {**example["owner"], "login": repository.name.split("/")[0]},
        }

    def branch(self, repository: Repository, name: str) -> dict[str, Any]:
        example = copy.deepcopy(EXAMPLES["get /repos/{owner}/{repo}/branches"][0])
        commit = {**example["commit"], "sha": repository.branches[name]}
        return {**example, "name": name, "commit": commit, "protected": name in repository.protected}

    def open(self, repository: Repository, **given: Any) -> dict[str, Any]:
        """Open a pull request, as a person at the host would."""
        number = len(repository.pulls) + 1
        pull = copy.deepcopy(EXAMPLES["get /repos/{owner}/{repo}/pulls/{pull_number}"])
        pull |= {
            "id": repository.id * 1000 + number,
            "number": number,
            "state": "open",
            "title": given.get("title", "Change"),
            "body": given.get("body", ""),
            "draft": given.get("draft", False),
            "merged": False,
            "merged_at": None,
            "closed_at": None,
            "mergeable": True,
            "commits": 1,
            "html_url": f"{self.url}/{repository.name}/pull/{number}",
            "updated_at": f"2029-01-01T00:00:{number:02}Z",
        }
        shown = self.show(repository)
        head = given.get("head", "topic")
        pull["head"] |= {"ref": head, "sha": repository.branches.get(head, SHA), "repo": shown}
        pull["base"] |= {"ref": given.get("base", repository.default), "repo": shown}
        repository.pulls[number] = pull
        return pull

    # HTTP.

    async def serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while line := await reader.readline():
                method, target, _ = line.decode().split(" ", 2)
                headers = {}
                while (line := await reader.readline()).strip():
                    key, _, text = line.decode().partition(":")
                    headers[key.strip().lower()] = text.strip()
                raw = await reader.readexactly(int(headers.get("content-length", 0)))
                parts = urlsplit(target)
                request = Request(
                    method,
                    parts.path.removeprefix(ROOT),
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    headers,
                    json.loads(raw) if raw else None,
                )
                reply = (
                    self._log(parts.path, request)
                    if parts.path.startswith("/logs/")
                    else self.answer(request)
                )
                if reply.is_lost:
                    break
                body = reply.body if isinstance(reply.body, bytes) else b""
                if reply.body is not None and not isinstance(reply.body, bytes):
                    body = json.dumps(reply.body).encode()
                given = {
                    "content-type": "application/json",
                    **reply.headers,
                    "content-length": str(len(body)),
                }
                head = "".join(f"{key}: {text}\r\n" for key, text in given.items())
                writer.write(f"HTTP/1.1 {reply.status} X\r\n{head}\r\n".encode() + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    def _log(self, path: str, request: Request) -> Reply:
        if "authorization" in request.headers and self.leaves_host:
            self.wrong.append("a credential was sent to the place of a log")
        repository = self.repositories[request.query["repository"]]
        return Reply(200, repository.logs[path.split("/")[-1]].encode())

    leaves_host = False  # whether logs are at another host


def _resolved(value: Any) -> Any:
    while isinstance(value, dict) and "$ref" in value:
        at: Any = DESCRIPTION
        for part in value["$ref"][2:].split("/"):
            at = at[part]
        value = at
    return value


def _check(value: Any, schema: dict[str, Any]) -> None:
    jsonschema.Draft4Validator(
        {**_resolved(schema), "components": DESCRIPTION["components"]}, resolver=None
    ).validate(value)


def _typed(text: str, schema: dict[str, Any]) -> Any:
    kind = _resolved(schema).get("type")
    if kind == "integer":
        assert text.isdigit(), f"{text} is no number"
        return int(text)
    return {"true": True, "false": False}.get(text, text) if kind == "boolean" else text


@contextlib.asynccontextmanager
async def github() -> AsyncIterator[GitHubHost]:
    """Run a host on loopback. At the end, none of our requests was against the description."""
    host = GitHubHost()
    server = await asyncio.start_server(host.serve_one, "127.0.0.1", 0)
    host.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield host
        assert host.wrong == []
    finally:
        server.close()
        for writer in list(host.writers):
            writer.close()
