"""Passwords and addresses by mail: once, within an hour, and nobody learns who has an account."""

import re
from datetime import timedelta

from sqlalchemy import func, select, update

from kit.db.database import utcnow
from kit.graphql.limits.rate import AttemptLimiter
from models.account import AccountToken
from models.mail import Mail
from tests.conftest import LOGIN, NOBODY, PASSWORD
from tests.mailbox import mailbox
from tests.test_invitation import has_address
from tests.test_mail import mailing, until

REQUEST = """mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) {
  __typename ... on MailRequested { lifetimeMinutes } ... on Refusal { code } } }"""
RESET = """mutation($input: ResetPasswordInput!) { resetPassword(input: $input) {
  __typename ... on PasswordSet { username } ... on Refusal { code message } } }"""
ASK = """mutation { requestAddressConfirmation(input: {}) {
  __typename ... on MailRequested { lifetimeMinutes } ... on Refusal { code message } } }"""
CONFIRM = """mutation($token: String!) { confirmAddress(input: {token: $token}) {
  __typename ... on User { username } ... on Refusal { code } } }"""
CONFIRMED = "{ viewer { emailConfirmed } }"
NEW = "another good password"


async def jobs_done(app):
    rows = await app.services.database.read(select(func.count()).where(AccountToken.token_hash.is_not(None)))
    return rows[0][0]


def token_in(mail, name):
    [token] = re.findall(rf"https://board\.example/#{name}=(\S+)", mail.get_body(("plain",)).get_content())
    assert token in mail.get_body(("html",)).get_content()
    return token


async def can_login(app, name, password):
    answer = await app.data(LOGIN, NOBODY, input={"username": name, "password": password})
    return answer["__typename"] == "Session"


async def test_a_forgotten_password_is_replaced_once(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        await has_address(app, "ada", "Ada@Example.org")
        asked = await app.data(REQUEST, NOBODY, input={"email": "ada@example.org"})
        assert asked == {"__typename": "MailRequested", "lifetimeMinutes": 60}
        [mail] = await box.get()
        token = token_in(mail, "reset")
        assert token not in str(await app.services.database.read(select(AccountToken.__table__)))
        given = {"token": token, "newPassword": NEW}
        assert (await app.data(RESET, NOBODY, input={**given, "newPassword": "short"}))["code"] == "INVALID"
        assert await app.data(RESET, NOBODY, input=given) == {"__typename": "PasswordSet", "username": "ada"}
        assert (await app.data(RESET, NOBODY, input=given))["code"] == "INVALID", "used"
        assert await can_login(app, "ada", NEW)
        assert not await can_login(app, "ada", PASSWORD)
        ended = await app.ask("{ me { id } }", "ada")
        assert ended["errors"][0]["extensions"]["reason"] == "REVOKED", "its logins have ended"
        app.tokens["ada"] = f"Bearer {(await app.logs_in('ada', NEW))['accessToken']}"
        assert (await app.data(CONFIRMED, "ada"))["emailConfirmed"], "the mail arrived"


async def test_nobody_learns_who_has_an_account(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        await has_address(app, "ada", "ada@example.org")
        answers, counts = [], []
        for email in ("nobody@example.org", "ada@example.org"):
            with app.counting() as statements:
                answers.append(await app.ask(REQUEST, NOBODY, input={"email": email}))
            counts.append([one.split("(")[0] for one in statements])
        assert answers[0] == answers[1]
        assert counts[0] == counts[1], "the same statements"
        await box.get()
        assert box.recipients == [["ada@example.org"]]
        for _ in range(5):
            await app.data(REQUEST, NOBODY, input={"email": "ada@example.org"})
        await until(lambda: jobs_done(app), 3)
        app.services.attempts = AttemptLimiter()
        for _ in range(10):
            await app.data(REQUEST, NOBODY, input={"email": "nobody@example.org"})
        limited = await app.ask(REQUEST, NOBODY, input={"email": "nobody@example.org"})
        assert limited["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        rows = await app.services.database.read(select(func.count()).select_from(Mail))
        assert rows[0][0] == 3, "at most three are valid at once"


async def test_an_old_token_and_one_of_another_address_are_refused(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        await has_address(app, "ada", "ada@example.org")
        await app.data(REQUEST, NOBODY, input={"email": "ada@example.org"})
        [mail] = await box.get()
        async with app.begin() as tx:
            await tx.execute(update(AccountToken).values(expires_at=utcnow() - timedelta(seconds=1)))
        late = {"token": token_in(mail, "reset"), "newPassword": NEW}
        assert (await app.data(RESET, NOBODY, input=late))["code"] == "INVALID"
        await app.data(REQUEST, NOBODY, input={"email": "ada@example.org"})
        token = token_in((await box.get(2))[1], "reset")
        set_email = 'mutation { updateMe(input: {email: "new@example.org"}) { __typename } }'
        await app.data(set_email, "ada")
        other = {"token": token, "newPassword": NEW}
        assert (await app.data(RESET, NOBODY, input=other))["code"] == "INVALID"
        assert await can_login(app, "ada", PASSWORD), "nothing was changed"


async def test_an_address_is_confirmed(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        await has_address(app, "ada", "ada@example.org")
        assert (await app.data(CONFIRMED, "ada"))["emailConfirmed"] is False
        assert (await app.data(ASK, "ada"))["__typename"] == "MailRequested"
        token = token_in((await box.get())[0], "address")
        wrong = await app.data(RESET, NOBODY, input={"token": token, "newPassword": NEW})
        assert wrong["code"] == "INVALID", "a token has one purpose"
        assert await app.data(CONFIRM, NOBODY, token=token) == {"__typename": "User", "username": "ada"}
        assert (await app.data(CONFIRM, NOBODY, token=token))["code"] == "INVALID"
        assert (await app.data(CONFIRMED, "ada"))["emailConfirmed"] is True
        assert (await app.data(ASK, "ada"))["code"] == "CONFLICT"
        await app.data('mutation { updateMe(input: {email: "b@example.org"}) { __typename } }', "ada")
        assert (await app.data(CONFIRMED, "ada"))["emailConfirmed"] is False


async def test_without_a_mail_server_it_is_said_to_everybody(run):
    async with run() as app:
        await has_address(app, "ada", "ada@example.org")
        for email in ("ada@example.org", "nobody@example.org"):
            assert (await app.data(REQUEST, NOBODY, input={"email": email}))["code"] == "FORBIDDEN"
