"""Imports point one way: a module imports its own room and the rooms to its right, never to its left."""

import ast
from pathlib import Path

import pytest

ROOMS = ["server", "schema", "resolvers", "actions", "auth", "models", "kit"]
ROOT = Path(__file__).parent.parent
ROOT_MODULES = ("server", "cli")  # one room of two files
MODULES = [p for room in ROOMS for p in (ROOT / room).rglob("*.py")] + [
    ROOT / f"{name}.py" for name in ROOT_MODULES
]
PROTOCOL = list((ROOT / "protocol").rglob("*.py"))
WORKER = list((ROOT / "worker").rglob("*.py"))
DEMO = list((ROOT / "demo").rglob("*.py"))
ALL = MODULES + PROTOCOL + WORKER + DEMO
MAX_LINES = 600  # after which a file becomes a package


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module


def names(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_imports_point_one_way(path):
    name = path.relative_to(ROOT).parts[0].removesuffix(".py")
    room = "server" if name in ROOT_MODULES else name
    left = [*ROOMS[: ROOMS.index(room)], *(["worker", "demo", "cli"] if room != "server" else [])]
    if name == "cli":
        left = ["server"]  # run as a program it is no module, and would be read twice
    assert [name for name in imports(path) if name.split(".")[0] in left] == []


@pytest.mark.parametrize("path", WORKER, ids=names)
def test_the_worker_is_a_client_of_the_public_api(path):
    inside = (*ROOT_MODULES, "schema", "resolvers", "actions", "auth", "models", "demo", "tests")
    assert [name for name in imports(path) if name.split(".")[0] in inside] == []


@pytest.mark.parametrize("path", PROTOCOL, ids=names)
def test_the_protocol_imports_nothing_of_ours(path):
    inside = (*ROOT_MODULES, *ROOMS, "worker", "demo", "tests")
    assert [name for name in imports(path) if name.split(".")[0] in inside] == []


@pytest.mark.parametrize("room", ["actions", "auth", "models", "kit"])
def test_no_graphql_below_resolvers(room):
    """But in the machines that are about GraphQL itself."""
    for path in (ROOT / room).rglob("*.py"):
        if room == "kit" and path.relative_to(ROOT / room).parts[0] == "graphql":
            continue
        assert not [n for n in imports(path) if n.split(".")[0] in ("strawberry", "graphql")], path


@pytest.mark.parametrize("path", ALL, ids=names)
def test_a_file_is_one_idea(path):
    assert path.read_text().count("\n") <= MAX_LINES


def test_alembic_is_not_hidden_by_our_folder():
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_one_password_library():
    import importlib.metadata

    assert importlib.metadata.version("libpass")
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("passlib")


@pytest.mark.parametrize("path", [p for p in ALL if p.stat().st_size], ids=names)
def test_a_module_says_why_it_exists(path):
    assert ast.get_docstring(ast.parse(path.read_text())), path
