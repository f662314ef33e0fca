"""docs/running.md says what there is."""

import re
from pathlib import Path

import server
from kit.settings import Settings, table

TEXT = (Path(__file__).parent.parent / "docs" / "running.md").read_text()


def test_the_table_of_settings_is_current():
    assert table() in TEXT, "put there what `python -m kit.settings` prints"
    assert all(field.description for field in Settings.model_fields.values())


def test_every_setting_is_read():
    root = Path(__file__).parent.parent
    files = [
        path
        for where in ("*.py", "kit/**/*.py", "resolvers/*.py", "actions/*.py")
        for path in root.glob(where)
    ]
    code = "".join(path.read_text() for path in files)
    assert [
        name for name in Settings.model_fields if not re.search(rf"(settings|self)\.{name}\b", code)
    ] == []


def test_every_command_is_told():
    names = [each.name or each.callback.__name__ for each in server.command_line.registered_commands]
    assert [name for name in names if f"| `{name}" not in TEXT] == []


def test_make_says_what_there_is():
    makefile = (Path(__file__).parent.parent / "Makefile").read_text()
    for name in makefile.split(".PHONY: ")[1].split("\n")[0].split():
        line = makefile.split(f"\n{name}:")[1].split("\n")[0]
        assert "  ## " in line, name
