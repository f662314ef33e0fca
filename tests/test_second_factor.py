"""A second factor: codes of an app, each valid once, and recovery codes."""

import time

import pyotp
import pytest
from sqlalchemy import select

from models.second_factor import STEP_SECONDS, SecondFactor
from tests.conftest import PASSWORD
from tests.test_start import begin

SET_UP = """mutation($password: String!) { setUpSecondFactor(input: {currentPassword: $password}) {
  __typename ... on SecondFactorSetup { secret uri } ... on Invalid { issues { path } } } }"""
CONFIRM = """mutation($code: String!) { confirmSecondFactor(input: {code: $code}) {
  __typename ... on RecoveryCodes { codes } ... on Invalid { issues { path } } } }"""
REMOVE = """mutation($code: String!, $password: String!) {
  removeSecondFactor(input: {code: $code, currentPassword: $password}) {
    __typename ... on Invalid { issues { path } } } }"""
LOGIN = """mutation($code: String, $password: String!) {
  login(input: {username: "ann", password: $password, code: $code}) {
    __typename ... on Unauthenticated { reason } } }"""
HAS = "{ viewer { hasSecondFactor } }"


def code_of(secret, steps=0):
    return pyotp.TOTP(secret).at(time.time() + steps * STEP_SECONDS)


async def has_factor(app):
    """A person with a second factor, whose current step is used: the secret and the recovery codes."""
    await app.has_user("ann")
    made = await app.data(SET_UP, "ann", password=PASSWORD)
    confirmed = await app.data(CONFIRM, "ann", code=code_of(made["secret"], -1))
    assert confirmed["__typename"] == "RecoveryCodes", confirmed
    return made["secret"], confirmed["codes"]


async def logged_in(app, code=None, password=PASSWORD):
    answer = await app.data(LOGIN, code=code, password=password)
    return answer.get("reason", answer["__typename"])


async def test_a_code_is_asked_for_once_it_was_confirmed(run):
    async with run() as app:
        await app.has_user("ann")
        made = await app.data(SET_UP, "ann", password=PASSWORD)
        assert made["uri"].startswith("otpauth://totp/Signalbox:ann?secret=" + made["secret"])
        assert await logged_in(app) == "Session"
        assert (await app.data(CONFIRM, "ann", code="000000"))["issues"] == [{"path": "code"}]
        assert (await app.data(HAS, "ann"))["hasSecondFactor"] is False
        assert (await app.data(CONFIRM, "ann", code=code_of(made["secret"])))["__typename"] == "RecoveryCodes"
        assert (await app.data(HAS, "ann"))["hasSecondFactor"] is True
        assert await logged_in(app) == "SECOND_FACTOR"
        assert await logged_in(app, password="not the password") == "INVALID"
        assert (await app.data(SET_UP, "ann", password=PASSWORD))["__typename"] == "Conflict"


async def test_a_code_is_valid_once_and_a_step_early_or_late(run):
    async with run() as app:
        secret, _ = await has_factor(app)
        now = code_of(secret)
        assert await logged_in(app, code_of(secret, -3)) == "INVALID"
        assert await logged_in(app, f"{now[:3]} {now[3:]}") == "Session"
        assert await logged_in(app, now) == "INVALID"
        assert await logged_in(app, code_of(secret, 1)) == "Session"
        assert await logged_in(app, code_of(secret, 5)) == "INVALID"


async def test_recovery_codes_are_valid_once(run):
    async with run() as app:
        _, codes = await has_factor(app)
        assert len(set(codes)) == 10
        assert [await logged_in(app, codes[0]) for _ in range(2)] == ["Session", "INVALID"]
        assert await logged_in(app, codes[1]) == "Session"


@pytest.mark.parametrize("given", ["", " ", "x" * 10_000, "\N{ARABIC-INDIC DIGIT ONE}" * 6, "-1", "1e5"])
async def test_odd_codes_are_wrong(run, given):
    async with run() as app:
        await has_factor(app)
        assert await logged_in(app, given) in ("INVALID", "SECOND_FACTOR")


async def test_guessing_is_throttled(run):
    async with run() as app:
        secret, _ = await has_factor(app)
        answers = [await app.ask(LOGIN, code=f"{n:06}", password=PASSWORD) for n in range(12)]
        assert "RATE_LIMITED" in str(answers[-1])
        assert "RATE_LIMITED" in str(await app.ask(LOGIN, code=code_of(secret), password=PASSWORD))


async def test_removing_it_needs_the_password_and_a_code(run):
    async with run() as app:
        secret, codes = await has_factor(app)
        wrong = await app.data(REMOVE, "ann", code=code_of(secret), password="not the password")
        assert wrong["issues"] == [{"path": "currentPassword"}]
        assert (await app.data(REMOVE, "ann", code="000000", password=PASSWORD))["issues"] == [
            {"path": "code"}
        ]
        assert (await app.data(REMOVE, "ann", code=codes[0], password=PASSWORD))["__typename"] == "User"
        assert await logged_in(app) == "Session"


async def test_neither_secret_nor_codes_are_stored_in_clear(run):
    async with run() as app:
        secret, codes = await has_factor(app)
        [row] = await app.services.database.read(select(SecondFactor.__table__))
        assert not any(text in str(tuple(row)) for text in (secret, *codes))


@pytest.mark.processes
async def test_whoever_runs_the_server_removes_it(run, fresh, tmp_path):
    url = await fresh()
    async with run(url) as app:
        await has_factor(app)
        status, _, err = await begin(
            tmp_path, "owner", "ann", DATABASE_URL=url, OWNER_PASSWORD="a new password"
        )
        assert status == 0, err
        assert await logged_in(app, password="a new password") == "Session"
