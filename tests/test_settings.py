"""Settings that hosts and people write in other ways, and what a command in a wrong folder leaves behind."""

import json
import logging
import sys

import pytest

from kit import logs
from kit.graphql.errors import log_unexpected
from kit.settings import WrongSetting, load, unknown_names
from tests.test_start import begin


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("database_url", "postgres://me:pw@h/x", "postgresql://me:pw@h/x"),
        ("database_url", "postgres://me@h/x?sslmode=require", "postgresql://me@h/x?ssl=require"),
        ("database_url", "postgresql://me@h/x?port=5&sslmode=verify-full", "postgresql://me@h/x?port=5&ssl=verify-full"),
        ("bus_url", "postgres://me@h/x", "postgresql://me@h/x"),
        ("log_level", "info", "INFO"),
        ("log_format", "JSON", "json"),
        ("allowed_origins", "https://UI.example/, http://localhost:3000", ["https://ui.example", "http://localhost:3000"]),
        ("allowed_hosts", "app.example, *.example.com,10.0.0.0/8", ["app.example", "*.example.com", "10.0.0.0/8"]),
        ("database_pool", "3", 3),
    ],
)  # fmt: skip
def test_a_setting_is_taken_as_hosts_and_people_write_it(name, given, taken):
    assert getattr(load(**{name: given}, _env_file=None), name) == taken


@pytest.mark.parametrize(
    ("name", "given", "line"),
    [
        ("allowed_origins", "ui.example", "ALLOWED_ORIGINS: ui.example is not an origin"),
        ("allowed_origins", "https://ui.example/page", "ALLOWED_ORIGINS: https://ui.example/page is not an origin"),
        ("allowed_hosts", "http://x", "ALLOWED_HOSTS: http://x is not a host name"),
        ("database_url", "postgresql://me@h/x?sslmode=maybe", "DATABASE_URL: sslmode must be one of disable"),
        ("database_pool", "0", "DATABASE_POOL: input should be greater than or equal to 1"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_in_one_line(name, given, line):
    with pytest.raises(WrongSetting) as raised:
        load(**{name: given}, _env_file=None)
    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)


def test_unknown_names_in_a_file_are_found(tmp_path):
    path = tmp_path / ".env"
    assert unknown_names(path) == []
    path.write_text("PORT=1\nlog_level=info\nLOG_LEVLE=INFO\nOWNER_PASSWORD=x\n")
    assert unknown_names(path) == ["LOG_LEVLE"]


@pytest.mark.parametrize(
    "command", ["link", "owner ann", "seed", "reset --yes", "restored", "export board_1"]
)
async def test_a_command_in_a_wrong_folder_creates_nothing(tmp_path, command):
    (tmp_path / ".env").write_text("COLOUR=1\n")
    status, out, err = await begin(tmp_path, *command.split())
    warning, line = err.splitlines()
    assert (status, out) == (2, "")
    assert warning == "signalbox: .env: COLOUR is not a setting, and is ignored"
    assert line.startswith("signalbox: there is no database one.sqlite3: ")
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


@pytest.mark.parametrize("format", ["json", "text"])
def test_a_log_has_no_escape_sequences_and_no_values_of_variables(capsys, format):
    root = logging.getLogger()
    before = root.handlers, root.level
    try:
        logs.start("INFO", format)
        password = "hunter" + "2"  # noqa: F841 - a local variable
        try:
            raise LookupError("no")
        except LookupError:
            logging.getLogger("uvicorn.error").exception(
                "Started \x1b[36m7\x1b[0m", extra={"color_message": "\x1b[36m7\x1b[0m"}
            )
        written = capsys.readouterr().err
    finally:
        root.handlers, root.level = before
    if format == "json":
        assert json.loads(written)["event"] == "Started 7"
    assert "LookupError" in written
    assert "hunter2" not in written
    assert "\x1b" not in written
    assert "u001b" not in written


async def test_the_log_of_an_unexpected_error_names_the_driver_and_our_frames(run):
    from sqlalchemy import text

    async with run() as app:
        try:
            async with app.begin() as tx:
                await tx.execute(text("SELECT secret FROM nothing_of_ours"))
        except Exception as error:
            described = log_unexpected(error)
    codes = {"aiosqlite": "SQLITE_ERROR", "asyncpg": "42P01"}
    [driver] = [code for name, code in codes.items() if name in app.services.database.url]
    assert any(cause.endswith(f" {driver}") for cause in described["causes"]), described
    assert any(frame.startswith(__file__) for frame in described["frames"]), described
    assert not any("site-packages" in frame for frame in described["frames"][:-1]), described
    assert "secret" not in json.dumps(described)
    assert sys.exc_info() == (None, None, None)
