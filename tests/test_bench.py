"""Each benchmark runs. No time is asserted: that depends on the machine."""

from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

import bench.__main__ as bench
from bench import results

pytestmark = pytest.mark.slow("each benchmark once, seconds each")

TWO = ["--on", "postgresql", "--peers", "signalbox,strawberry"]


@pytest.mark.parametrize(
    "command",
    [
        ["board", "--cards", "40,80"],
        ["moves", "--writers", "2"],
        ["feed", "--events", "3"],
        ["reads", "--cards", "3", "--turns", "1", "--seconds", "0.1"],
        ["reads", "--cards", "3", "--turns", "1", "--seconds", "0.1", "--one-card", *TWO],
        ["search", "--cards", "80", "--comments", "100", "--turns", "1"],
        ["events", "--runs", "2", "--turns", "1", "--seconds", "0.1"],
    ],
    ids=lambda c: " ".join(c[:1] + [w for w in c if w == "--one-card"]),
)
def test_it_runs(command, monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "TURNS", 1)
    monkeypatch.setattr(results, "FOLDER", tmp_path)
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


def test_a_table_and_a_plot_are_written(tmp_path):
    values = {"ours": 20.0, "theirs": 10.0}
    path = results.save("some", "Some <work>", values, missing={"other": "no Node"}, folder=tmp_path)
    text = path.read_text()
    assert "| theirs | 10.0 | 0.50 |" in text
    assert "| other | not measured | no Node |" in text
    ElementTree.fromstring((tmp_path / "some.svg").read_text())


def test_claims_are_compared_with_who_is_there(tmp_path):
    options = [
        "--turns",
        "1",
        "--seconds",
        "0.1",
        "--node-modules",
        str(tmp_path),
        "--results",
        str(tmp_path),
    ]
    result = CliRunner().invoke(bench.cli, ["claims", "--peers", "signalbox,pg-boss", *options])
    assert result.exit_code == 0, result.output
    told = (tmp_path / "claims.md").read_text()
    assert "| 4 at once |" in told
    assert "Not compared: pg-boss." in told


@pytest.mark.parametrize("on", ["postgresql", "sqlite"])
def test_depths_are_compared(on, tmp_path):
    options = ["--waiting", "100,300", "--rounds", "4", "--on", on, "--results", str(tmp_path)]
    result = CliRunner().invoke(bench.cli, ["depth", *options])
    assert result.exit_code == 0, result.output
    assert "| 300 |" in (tmp_path / "depth.md").read_text()
