"""The command line as operators use it, and the installed program."""

import asyncio
import subprocess
import sys

import httpx2
import pytest

from tests.test_start import CLEAN, ROOT, begin

pytestmark = pytest.mark.processes


async def test_a_setting_is_read_from_the_file_that_a_variable_names(tmp_path):
    (tmp_path / "secret").write_text("short\n")
    status, out, err = await begin(tmp_path, "serve", SECRET_KEY_FILE=str(tmp_path / "secret"))
    assert (status, out, err) == (2, "", "signalbox: SECRET_KEY: must have 32 characters or more\n")


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY_FILE: /nowhere: No such file or directory"),
        ({"SECRET_KEY_FILE": "/", "SECRET_KEY": "k" * 40}, "SECRET_KEY: is set both by itself and by"),
    ],
)
async def test_a_wrong_file_of_a_setting_is_one_line(tmp_path, environment, line):
    status, _, err = await begin(tmp_path, "serve", **environment)
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith(f"signalbox: {line}")


async def test_the_command_line_comes_before_the_environment(tmp_path):
    given = "--database", "sqlite:///other.sqlite3", "--port", "0", "--host", "192.0.2.1"
    status, _, err = await begin(tmp_path, "serve", *given, SECRET_KEY="k" * 40)
    assert (status, err.split(": ")[1]) == (2, "cannot listen on 192.0.2.1:0")
    status, _, err = await begin(tmp_path, "serve", *given[:4])
    assert "other.sqlite3 is empty" in err, err


async def test_secrets_differ_and_are_long_enough(tmp_path):
    keys = [(await begin(tmp_path, "secret"))[1] for _ in range(2)]
    assert keys[0] != keys[1]
    assert min(map(len, keys)) > 60


async def test_doctor_names_what_fails_and_creates_nothing(tmp_path):
    status, out, _ = await begin(tmp_path, "doctor")
    assert status == 1
    assert "FAIL database: there is no one.sqlite3" in out
    assert list(tmp_path.iterdir()) == []


async def test_doctor_shows_settings_without_secrets(tmp_path, fresh):
    url = await fresh()
    status, out, _ = await begin(tmp_path, "doctor", DATABASE_URL=url, SECRET_KEY="s3cret" * 8)
    assert status == 0, out
    assert "s3cret" not in out
    assert "FAIL" not in out
    assert out.count("ok  ") == 4
    password = await begin(tmp_path, "doctor", DATABASE_URL="postgresql://me:hidden@127.0.0.1:1/x")
    assert (password[0], "hidden" in "".join(password[1:])) == (1, False)


@pytest.mark.slow("builds and installs a wheel")
async def test_the_wheel_has_the_program_and_serves(tmp_path):
    def pip(*arguments):
        words = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
        subprocess.run(words, check=True, cwd=ROOT, capture_output=True)

    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), ".")
    [wheel] = tmp_path.glob("signalbox-*.whl")
    pip("install", "--no-deps", "--target", str(tmp_path / "site"), str(wheel))
    program = tmp_path / "site" / "bin" / "signalbox"
    environment = CLEAN | {"PYTHONPATH": str(tmp_path / "site"), "PYTHONDONTWRITEBYTECODE": "1"}
    shown = subprocess.run(
        [program, "--version"], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("signalbox 0.")
    server = await asyncio.create_subprocess_exec(
        *(program, "serve", "--migrate", "--port", "0"),
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(60):
            link = ""
            while "#token=" not in link:
                link = (await server.stdout.readline()).decode()
                assert link, "it ended"
        async with httpx2.AsyncClient() as client:
            address = httpx2.URL(link.strip())
            html = {"accept": "text/html"}
            pages = [await client.get(address.join(path), headers=html) for path in ("/", "/graphql")]
            ready = await client.get(address.join("/readyz"))
        assert [(page.status_code, "<script" in page.text) for page in pages] == [(200, True)] * 2
        assert ready.text == "ok\n"
    finally:
        server.terminate()
        await server.wait()
