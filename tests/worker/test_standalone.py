"""Some of it is started by itself, without the package. What agents may import at all: tests/test_imports.py."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent / "worker"


def test_what_is_started_alone_imports_nothing_of_the_worker():
    for name in ("leash.py", "template.py", "programs/player.py"):
        text = (ROOT / name).read_text()
        assert "import worker" not in text
        assert "from worker" not in text
