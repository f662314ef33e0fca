"""deploy/, the Dockerfile and compose.yaml: what they name exists, and what they start works."""

import asyncio
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
import websockets
import yaml

from kit.settings import Settings
from tests.conftest import free_port

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
CLIENT = "203.0.113.7"  # an address that a client claims to have
ROOM = {"FORWARDED_ALLOW_IPS": "127.0.0.1", "CONNECTIONS_PER_ADDRESS": "100"}
FOLLOW = "subscription($id: ID!) { boardFeed(boardId: $id) { seq event { __typename } } }"
BOARD = "mutation($input: CreateBoardInput!) { createBoard(input: $input) { ... on Board { id } } }"
CARD = "mutation($input: CreateCardInput!) { createCard(input: $input) { ... on Card { id } } }"
SETTINGS = {name.upper() for name in Settings.model_fields}
CADDY = shutil.which("caddy", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def the_steps(text):
    """The instructions of a Dockerfile by their stage: (word, rest)."""
    stages = {}
    for line in re.sub(r"\\\n", " ", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stage = stages[rest.split()[-1]] = []
        elif word and word != "#":
            stage.append((word, rest))
    return stages


def names_of(environment):
    return {
        name.removesuffix("_FILE") if name.removesuffix("_FILE") in SETTINGS else name for name in environment
    }


def is_shipped(path, rules):
    """Whether .dockerignore lets a file of the repository into the build."""
    return any(path == rule or path.startswith(f"{rule}/") or Path(path).match(rule) for rule in rules)


@pytest.mark.slow("installs everything that an image has")
@pytest.mark.processes
async def test_the_steps_of_the_image_make_a_server(tmp_path):
    """No engine builds images here: each step of the build is executed in a folder in place of the image's root."""
    stages = the_steps((ROOT / "Dockerfile").read_text())
    build, home, data = tmp_path / "build", tmp_path / "signalbox", tmp_path / "data"
    build.mkdir()
    rules = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    tracked = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for path in filter(None, tracked):
        if is_shipped(path, rules) and (ROOT / path).is_file():
            (build / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, build / path)
    for word, rest in stages["build"]:
        if word == "RUN":
            command = rest.replace("/opt/signalbox", str(home)).replace("--no-cache-dir ", "")
            done = subprocess.run(
                ["sh", "-euc", command], cwd=build, capture_output=True, text=True, timeout=280
            )
            assert done.returncode == 0, (rest, done.stderr[-2000:])
    data.mkdir()
    steps = dict(stages["server"])
    environment = dict(pair.split("=", 1) for pair in shlex.split(steps["ENV"])) | {
        "PATH": f"{home}/bin:/usr/bin:/bin"
    }
    environment |= {"PORT": str(free_port()), "HOST": "127.0.0.1", "ALLOWED_HOSTS": "board.example"}
    environment["DATABASE_URL"] = environment["DATABASE_URL"].replace("/data", str(data))
    words = json.loads(steps["ENTRYPOINT"]) + json.loads(steps["CMD"])
    program = await asyncio.create_subprocess_exec(
        f"{home}/bin/{words[0]}", *words[1:], cwd=data, env=environment
    )
    check = json.loads(steps["HEALTHCHECK"].partition("CMD ")[2])
    try:
        async with asyncio.timeout(60):
            while True:
                asked = [f"{home}/bin/{check[0]}", *check[1:]]
                asking = await asyncio.create_subprocess_exec(
                    *asked, env=environment, stderr=subprocess.DEVNULL
                )
                if await asking.wait() == 0:
                    break
                assert program.returncode is None
    finally:
        program.terminate()
        await program.wait()
    assert {file.name for file in data.iterdir()} >= {"signalbox.sqlite3"}


def test_the_image_is_nobody_in_particular_and_names_settings():
    stages = the_steps((ROOT / "Dockerfile").read_text())
    assert [rest for word, rest in stages["base"] if word == "USER"] == ["10001"]
    assert stages["worker"][-2] == ("USER", "10001")
    assert dict(shlex.split(rest)[0].split("=", 1) for word, rest in stages["server"] if word == "ENV")[
        "HOST"
    ]
    for path in re.findall(r"^!([\w/.]+)$", (ROOT / ".dockerignore").read_text(), re.M):
        assert (ROOT / path).exists(), path


def test_compose_names_what_exists():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    services = compose["services"]
    for name in ("server-1", "server-2", "migrate"):
        service = services[name]
        assert names_of(service["environment"]) <= SETTINGS
        assert service["read_only"] is True
        files = {f"/run/secrets/{secret}" for secret in service["secrets"]}
        assert {value for key, value in service["environment"].items() if key.endswith("_FILE")} <= files
        for needed in service["depends_on"]:
            assert needed in services
    assert [ip["subnet"] for ip in compose["networks"]["inside"]["ipam"]["config"]] == [
        services["server-1"]["environment"]["FORWARDED_ALLOW_IPS"]
    ]
    for address in re.findall(r"server (\S+):8000", (DEPLOY / "nginx.conf").read_text()):
        assert address in services


def test_its_secrets_are_made_once_and_are_long_enough(tmp_path):
    (tmp_path / "deploy").mkdir()
    shutil.copy(DEPLOY / "secrets.sh", tmp_path / "deploy")
    texts = []
    for _ in range(2):
        subprocess.run([tmp_path / "deploy" / "secrets.sh"], check=True, timeout=20)
        texts.append({file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()})
    assert texts[0] == texts[1]
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert set(texts[0]) == set(compose["secrets"])
    Settings(
        _env_file=None,
        secret_key=texts[0]["secret_key"],
        metrics_token=texts[0]["metrics_token"],
        database_url=texts[0]["database_url"],
    )


def test_kubernetes_names_what_exists():
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
    assert [document["kind"] for document in documents] == ["Job", "Deployment", "Service"]
    job, deployment, service = documents
    pods = [document["spec"]["template"] for document in (job, deployment)]
    for pod in pods:
        [container] = pod["spec"]["containers"]
        assert names_of(one["name"] for one in container["env"]) <= SETTINGS
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            one["name"] for one in pod["spec"]["volumes"]
        }
    first, second = (pod["spec"]["containers"][0] for pod in pods)
    assert (first["env"], first["volumeMounts"]) == (second["env"], second["volumeMounts"])
    labels = pods[1]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert second["ports"][0]["name"] == service["spec"]["ports"][0]["targetPort"]


def test_the_unit_is_one(tmp_path):
    text = (DEPLOY / "signalbox.service").read_text()
    [start] = re.findall(r"^ExecStart=\S+/signalbox (.*)$", text, re.M)
    words = [sys.executable, ROOT / "server.py", *shlex.split(start), "--help"]
    assert subprocess.run(words, capture_output=True, timeout=60).returncode == 0
    if verify := shutil.which("systemd-analyze"):
        unit = tmp_path / "signalbox.service"
        unit.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", text, flags=re.M))
        told = subprocess.run([verify, "verify", unit], capture_output=True, text=True, timeout=60)
        assert "signalbox.service" not in told.stderr, told.stderr


class Proxy:
    """A proxy that was started with a file of deploy/, in front of servers on other ports."""

    def __init__(self, name, folder, ports):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        [file] = [DEPLOY / {"nginx": "nginx.conf", "caddy": "Caddyfile"}[name]]
        text = file.read_text().replace("8080", str(self.port))
        for number, port in enumerate(ports, 1):
            text = text.replace(f"server-{number}:8000", f"127.0.0.1:{port}")
        assert "server-" not in text
        (folder / file.name).write_text(text)
        as_root = "user root;" if os.getuid() == 0 else ""
        here = ["-p", str(folder), "-e", "errors", "-c", str(folder / file.name)]
        self.words = {
            "nginx": [str(shutil.which("nginx")), *here, "-g", f"daemon off; pid pid; {as_root}"],
            "caddy": [str(CADDY), "run", "--adapter", "caddyfile", "--config", str(folder / file.name)],
        }[name]
        self.folder = folder

    async def __aenter__(self):
        environment = {**os.environ, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        quiet = subprocess.DEVNULL
        self.process = await asyncio.create_subprocess_exec(
            *self.words, cwd=self.folder, env=environment, stdout=quiet, stderr=quiet
        )
        async with asyncio.timeout(20):
            while True:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                        return self
                assert self.process.returncode is None, "it ended"
                await asyncio.sleep(0.02)

    async def __aexit__(self, *_):
        self.process.terminate()
        await self.process.wait()


@pytest.fixture(params=["nginx", "caddy"])
def proxy(request, tmp_path):
    """`async with proxy(*ports) as it`."""
    program = CADDY if request.param == "caddy" else shutil.which("nginx")
    if program is None:
        pytest.skip(f"{request.param} is not installed")
    return lambda *ports: Proxy(request.param, tmp_path, ports)


async def test_clients_work_through_a_proxy_and_one_server_may_die(serve, fresh, proxy):
    url = await fresh()
    servers = [await serve(url, **ROOM) for _ in range(2)]
    headers = servers[0].headers
    async with (
        proxy(*(server.port for server in servers)) as front,
        httpx2.AsyncClient(base_url=front.url, headers=headers, timeout=20) as client,
    ):

        async def ask(query, **variables):
            answer = await client.post("/graphql", json={"query": query, "variables": variables})
            [value] = answer.json()["data"].values()
            return value

        home = (await ask("{ workspaces { nodes { id } } }"))["nodes"][0]["id"]
        board = (await ask(BOARD, input={"workspaceId": home, "name": "Web"}))["id"]
        # An event comes as it happens, by both kinds of streams: nothing is held back.
        socket_url = front.url.replace("http", "ws") + "/graphql"
        sse = {"query": FOLLOW, "variables": {"id": board}}
        accept = {"accept": "text/event-stream"}
        async with (
            asyncio.timeout(20),
            websockets.connect(socket_url, subprotocols=["graphql-transport-ws"]) as ws,
            client.stream("POST", "/graphql", json=sse, headers=accept) as stream,
        ):
            await ws.send(json.dumps({"type": "connection_init", "payload": headers}))
            assert json.loads(await ws.recv())["type"] == "connection_ack"
            await ws.send(json.dumps({"type": "subscribe", "id": "1", "payload": sse}))
            await ws.send(json.dumps({"type": "ping"}))
            assert json.loads(await ws.recv())["type"] == "pong"
            lines = stream.aiter_lines()
            await ask(CARD, input={"boardId": board, "title": "One"})
            while "CardCreated" not in await ws.recv():
                pass
            while "CardCreated" not in await anext(lines):
                pass
        assert (await client.get("/metrics")).status_code == 404
        # One server dies: what comes then is answered by the other.
        servers[0].kill()
        for _ in range(6):
            assert (await ask("{ viewer { kind } }"))["kind"]


async def test_a_client_cannot_say_who_it_is_through_a_proxy(serve, proxy, fresh):
    """Log-ins are throttled by address: a client that claims a new one each time is throttled all the same."""
    server = await serve(await fresh(), **ROOM)
    wrong = 'mutation { login(input: {username: "nobody", password: "wrong wrong wrong"}) { __typename } }'
    async with (
        proxy(server.port, server.port) as front,
        httpx2.AsyncClient(base_url=front.url, timeout=30) as client,
    ):
        kinds = []
        for number in range(40):
            claimed = {"x-forwarded-for": f"203.0.113.{number}", "forwarded": f"for=203.0.113.{number}"}
            answer = await client.post("/graphql", json={"query": wrong}, headers=claimed)
            kinds.append(json.dumps(answer.json()))
            if kinds[-1] != kinds[0]:
                break
        assert kinds[-1] != kinds[0], kinds[-1]
