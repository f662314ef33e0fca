"""Some of it is started by itself, without the package. What agents may import at all: tests/test_rooms.py."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent / "agents"


def test_what_is_started_alone_needs_python_alone():
    for name in ("leash.py", "executors/player.py"):
        text = (ROOT / name).read_text()
        assert "import agents" not in text
        assert "from agents" not in text
