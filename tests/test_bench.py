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


def test_fan_out_runs(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    few = ["--subscribers", "3", "--turns", "1", "--seconds", "0.1", "--idle", "2"]
    told = CliRunner().invoke(
        bench.cli, ["fanout", *few, "--peers", "signalbox,strawberry", "--into", str(tmp_path)]
    )
    assert told.exit_code == 0, told.output
    rows = (tmp_path / "fanout.md").read_text().splitlines()
    assert [row.split()[1] for row in rows if row.startswith("| s")] == ["signalbox", "strawberry"]


def test_a_peer_that_is_not_there_is_said_to_be_missing(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.fanout.shutil.which", lambda name: None)
    few = ["--subscribers", "1", "--turns", "1", "--seconds", "0.1", "--idle", "0"]
    told = CliRunner().invoke(bench.cli, ["fanout", *few, "--peers", "graphql-ws", "--into", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert "not run: there is no node here" in (tmp_path / "fanout.md").read_text()
