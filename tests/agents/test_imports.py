"""The worker is a client on any machine: it knows nothing of the server's rooms."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent / "agents"
ALLOWED = {"agents", "runtime"} | sys.stdlib_module_names


def test_agents_import_nothing_of_the_server():
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= ALLOWED, path


def test_what_is_started_alone_needs_python_alone():
    for name in ("leash.py", "executors/player.py"):
        text = (ROOT / name).read_text()
        assert "import agents" not in text
        assert "from agents" not in text
