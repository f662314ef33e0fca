"""Each benchmark runs. No time is asserted: that depends on the machine."""

import pytest
from typer.testing import CliRunner

import bench.__main__ as bench


@pytest.mark.parametrize(
    "command",
    [
        ["board", "--cards", "40,80"],
        ["moves", "--writers", "2"],
        ["feed", "--events", "3"],
        ["reads", "--cards", "3", "--turns", "1", "--seconds", "0.1"],
    ],
    ids=lambda c: c[0],
)
def test_it_runs(command, monkeypatch):
    monkeypatch.setattr(bench, "TURNS", 1)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    result = CliRunner().invoke(bench.cli, command)
    assert result.exit_code == 0, result.output
