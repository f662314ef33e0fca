"""A module may import its own room and the rooms to its right, never to its left."""

import ast
from pathlib import Path

import pytest

ROOMS = ["server", "schema", "resolvers", "actions", "models", "runtime"]
ROOT = Path(__file__).parent.parent
DOORS = ("server", "commands")  # one room of two files
MODULES = [p for room in ROOMS for p in (ROOT / room).rglob("*.py")] + [ROOT / f"{name}.py" for name in DOORS]
AGENTS = list((ROOT / "agents").rglob("*.py"))
LIMIT = 600  # lines after which a file becomes a package


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
    room = "server" if name in DOORS else name
    left = [*ROOMS[: ROOMS.index(room)], *(["agents", *DOORS] if room != "server" else [])]
    if name == "commands":
        left = ["server"]  # run as a program it is no module, and would be read twice
    assert [name for name in imports(path) if name.split(".")[0] in left] == []


@pytest.mark.parametrize("path", AGENTS, ids=names)
def test_agents_are_clients_of_the_public_api(path):
    inside = (*DOORS, "schema", "resolvers", "actions", "models", "tests")
    assert [name for name in imports(path) if name.split(".")[0] in inside] == []


@pytest.mark.parametrize("room", ["actions", "models", "runtime"])
def test_no_graphql_below_resolvers(room):
    """But in the machines that are about GraphQL itself: the transport and the executor."""
    for path in (ROOT / room).rglob("*.py"):
        if path.relative_to(ROOT / room).parts[0] in ("transport", "executor"):
            continue
        assert not [n for n in imports(path) if n.split(".")[0] in ("strawberry", "graphql")], path


@pytest.mark.parametrize("path", MODULES + AGENTS, ids=names)
def test_a_file_is_one_idea(path):
    assert path.read_text().count("\n") <= LIMIT


def test_alembic_is_not_hidden_by_our_folder():
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_one_password_library():
    import importlib.metadata

    assert importlib.metadata.version("libpass")
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("passlib")


@pytest.mark.parametrize("path", [p for p in MODULES + AGENTS if p.stat().st_size], ids=names)
def test_a_module_says_why_it_exists(path):
    assert ast.get_docstring(ast.parse(path.read_text())), path
