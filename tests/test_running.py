"""docs/running.md says what there is."""

from pathlib import Path

import server
from runtime.settings import Settings, table

TEXT = (Path(__file__).parent.parent / "docs" / "running.md").read_text()


def test_the_table_of_settings_is_current():
    assert table() in TEXT, "put there what `python -m runtime.settings` prints"
    assert all(field.description for field in Settings.model_fields.values())


def test_every_command_is_told():
    names = [each.name or each.callback.__name__ for each in server.cli.registered_commands]
    assert [name for name in names if f"| `{name}" not in TEXT] == []


def test_make_says_what_there_is():
    makefile = (Path(__file__).parent.parent / "Makefile").read_text()
    for name in makefile.split(".PHONY: ")[1].split("\n")[0].split():
        line = makefile.split(f"\n{name}:")[1].split("\n")[0]
        assert "  ## " in line, name
