"""Mails go out exactly if their cause happened, and it is seen how each of them fared."""

import asyncio
import contextlib
import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from standardwebhooks import Webhook

from actions.purge import purge
from kit import queue
from kit.db.database import utcnow
from kit.mail import MailRefused, MailTemplates, SmtpServer, message_of
from models.invitation import Invitation
from models.job import SERVER
from models.mail import Mail
from tests.conftest import KEY
from tests.mailbox import mailbox
from tests.queue.ageing import age
from tests.test_invitation import ACCEPT, RESEND, has_address, invite, token_in
from tests.test_start import begin

SECRET = "whsec_" + "c2lnbmFsYm94IHRlc3RzIHNpZ25hbGJveCB0ZXN0cw=="
LIST = """query($id: ID!) { workspace(id: $id) { invitations {
  nodes { id email delivery deliveryError } } jobs { nodes { kind status reason nextAttemptAt } } } }"""
FROM = {"points": 10**9, "mail_from": "Signalbox <box@board.example>", "public_url": "https://board.example"}


def mailing(box, **settings):
    return {"smtp_url": box.url, "mail_webhook_secret": SECRET, "smtp_seconds": 0.5, **FROM, **settings}


async def until(read, wanted, seconds=20):
    """What `read` gives, once it is `wanted`."""
    deadline = time.monotonic() + seconds
    while (found := await read()) != wanted:
        assert time.monotonic() < deadline, (found, wanted)
        await asyncio.sleep(0.02)
    return found


async def deliveries(app):
    found = await app.data(LIST, id=await app.home())
    return [node["delivery"] for node in found["invitations"]["nodes"]]


async def state(app):
    """Delivery and error of the only invitation, and status and reason of its job."""
    found = await app.data(LIST, id=await app.home())
    [node], [job] = found["invitations"]["nodes"], found["jobs"]["nodes"]
    return node["delivery"], node["deliveryError"], job["status"], job["reason"]


async def pass_time(app, seconds):
    async with app.begin() as tx:
        await age(tx, seconds)
        tx.notify(queue.queue_topic(SERVER))


async def test_an_invitation_arrives_and_its_link_is_good(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        await has_address(app, "ada", "ada@example.org")
        rename = """mutation($id: ID!, $name: String!) { updateWorkspace(input: {id: $id, name: $name}) {
          __typename } }"""
        await app.data(rename, id=await app.home(), name='<b>R&D</b> "é" {{ link }}')
        answer = await invite(app, "ada@example.org")
        [made] = answer["created"]
        assert (made["link"], made["invitation"]["delivery"]) == (None, "PENDING")
        [mail] = await box.get()
        assert box.recipients == [["ada@example.org"]]
        assert mail["Subject"] == 'owner invites you to <b>R&D</b> "é" {{ link }}'
        assert (mail["From"], mail["To"]) == (FROM["mail_from"], "ada@example.org")
        assert re.fullmatch(r"<mail_\w+@board\.example>", mail["Message-ID"])
        assert mail.is_multipart(), "text and HTML"
        text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
        assert "<b>R&D</b>" in text
        assert "&lt;b&gt;R&amp;D&lt;/b&gt;" in html, "values are escaped"
        [link] = re.findall(r"https://board\.example/#invitation=\S+", text)
        assert f'href="{link}"' in html
        await until(lambda: deliveries(app), ["SENT"])
        [row] = await app.services.database.read(select(Mail.__table__))
        assert (row.content, row.error, row.sent_at is not None) == (None, None, True)
        joined = await app.data(ACCEPT, "ada", input={"token": token_in(link)})
        assert joined["__typename"] == "Membership"


async def test_a_waiting_mail_tells_the_database_nothing(run):
    async with run(smtp_url="smtp://127.0.0.1:1", **FROM) as app:
        await invite(app, "ada@example.org")
        await until(lambda: reasons(app), ["The mail server did not answer: SMTPConnectError"])
        [row] = await app.services.database.read(select(Mail.__table__))
        assert json.loads(app.services.seal.open(row.content))["inviter"] == "owner"
        assert "board.example/#" not in str(row), "the content is sealed"


async def reasons(app):
    return [job["reason"] for job in (await app.data(LIST, id=await app.home()))["jobs"]["nodes"]]


async def test_three_retries_with_one_message_id(run):
    """After 60, 120 and 240 seconds; a slow answer, a lost connection and a code below 500 are all tried again."""
    async with mailbox() as box, run(**mailing(box)) as app:
        box.answers = ["451 try later", "hang up", "451 not yet"]
        await invite(app, "ada@example.org")
        for attempt, wait in enumerate((60, 120, 240), start=1):
            await box.get(attempt)
            await until(lambda n=attempt: attempts(app), attempt)
            found = await until_queued(app)
            delay = datetime.fromisoformat(found["nextAttemptAt"]) - datetime.now(UTC)
            assert wait - 15 < delay.total_seconds() <= wait + 1
            assert await deliveries(app) == ["PENDING"]
            await pass_time(app, wait + 1)
        mails = await box.get(4)
        await until(lambda: deliveries(app), ["SENT"])
        assert len({mail["Message-ID"] for mail in mails}) == 1
        assert len({mail.get_body(("plain",)).get_content() for mail in mails}) == 1


async def attempts(app):
    rows = await app.services.database.read(select(Mail.attempts))
    return rows[0][0]


async def until_queued(app):
    deadline = time.monotonic() + 20
    while True:
        [job] = (await app.data(LIST, id=await app.home()))["jobs"]["nodes"]
        if job["status"] == "QUEUED" and job["reason"]:
            return job
        assert time.monotonic() < deadline, job
        await asyncio.sleep(0.02)


async def test_after_four_attempts_it_is_given_up(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        box.answers = ["421 4.3.2 too\tbusy"] * 9
        await invite(app, "ada@example.org")
        for attempt, wait in enumerate((60, 120, 240), start=1):
            await box.get(attempt)
            await until(lambda: attempts(app), attempt)
            await until_queued(app)
            await pass_time(app, wait + 1)
        await box.get(4)
        reason = "421 4.3.2 too busy"
        await until(lambda: state(app), ("FAILED", reason, "FAILED", reason))
        await pass_time(app, 3600)
        assert len(box.raw) == 4


async def test_a_final_answer_is_not_retried_and_resending_is_a_new_mail(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        box.answers = ["554 no\x07such user"]
        [made] = (await invite(app, "ada@example.org"))["created"]
        await until(lambda: deliveries(app), ["FAILED"])
        reason = "554 no such user"
        await until(lambda: state(app), ("FAILED", reason, "FAILED", reason))
        again = await app.data(RESEND, input={"id": made["invitation"]["id"]})
        assert again["link"] is None
        first, second = await box.get(2)
        await until(lambda: deliveries(app), ["SENT"])
        assert first["Message-ID"] != second["Message-ID"]
        assert first.get_body(("plain",)).get_content() != second.get_body(("plain",)).get_content()


@contextlib.asynccontextmanager
async def strange_server(replies):
    """A mail server that says these lines, one for each command, and then nothing."""
    taken = []

    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError):
            for reply in replies:
                writer.write(reply)
                await writer.drain()
                line = await reader.readline()
                while line and reply.startswith(b"354") and line != b".\r\n":
                    taken.append(line)
                    line = await reader.readline()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}", taken
    finally:
        server.close()


OK = b"250 ok\r\n"


@pytest.mark.parametrize(
    ("replies", "delivery", "error"),
    [
        ([], "PENDING", "The mail server did not answer: SMTPConnectTimeoutError"),
        ([b"220 hi\r\n"], "PENDING", "The mail server did not answer: SMTPReadTimeoutError"),
        ([b"HTTP/1.1 200 OK\r\n\r\n"], "PENDING", None),
        ([b"220 hi\r\n", OK, OK, OK, b"354 go\r\n"], "PENDING", None),
        ([b"220 hi\r\n", OK, OK, b"550 no such user\r\n", OK], "FAILED", "550 no such user"),
        ([b"220 hi\r\n", OK, OK, OK, b"354 go\r\n", OK + OK], "SENT", None),  # answers twice
        ([b"220 hi\r\n", OK, OK, OK, b"354 go\r\n", OK], "SENT", None),  # never says goodbye
    ],
)
async def test_strange_servers(run, replies, delivery, error):
    async with strange_server(replies) as (url, taken):
        async with run(smtp_url=url, smtp_seconds=0.3, **FROM) as app:
            await invite(app, "ada@example.org")
            if delivery == "PENDING":
                await until(lambda: attempts(app), 1)
            else:
                await until(lambda: deliveries(app), [delivery])
            found = await app.data(LIST, id=await app.home())
            [node] = found["invitations"]["nodes"]
            assert node["delivery"] == delivery
            assert error is None or node["deliveryError"] == error
            assert bool(taken) == (b"354 go\r\n" in replies)


async def test_a_rolled_back_invitation_sends_nothing(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        answer = await invite(app, "ada@example.org", "not an address")
        assert answer["code"] == "INVALID"
        await invite(app, "eve@example.org")
        await box.get()
        await until(lambda: deliveries(app), ["SENT"])
        assert box.recipients == [["eve@example.org"]]
        rows = await app.services.database.read(select(func.count()).select_from(Mail))
        assert rows[0][0] == 1


async def test_calls_that_mail_are_limited(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        for n in range(10):
            assert (await invite(app, f"{n}@example.org"))["__typename"] == "Invited"
        query = """mutation($id: ID!) { inviteMembers(input: {workspaceId: $id, emails: ["z@x.org"]}) {
          __typename } }"""
        answer = await app.ask(query, id=await app.home())
        assert answer["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


# Reports of the provider.


def signed(report, *, secret=SECRET, at=None, id="msg_1"):
    body = report if isinstance(report, str) else json.dumps(report)
    at = at or datetime.now(UTC)
    headers = {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, at, body),
        "content-type": "application/json",
    }
    return body, headers


async def report(app, kind, message_id, reason=None, **options):
    data = {"message_id": message_id, "reason": reason}
    body, headers = signed({"type": kind, "data": data}, **options)
    return (await app.client.post("/webhooks/mail", content=body, headers=headers)).status_code


async def test_reports_are_noted_once_and_in_any_order(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        await invite(app, "ada@example.org")
        [mail] = await box.get()
        await until(lambda: deliveries(app), ["SENT"])
        id = mail["Message-ID"]
        assert await report(app, "mail.opened", id) == 204
        assert await deliveries(app) == ["SENT"]
        for _ in range(2):
            assert await report(app, "mail.delivered", id) == 204
        assert await deliveries(app) == ["DELIVERED"]
        assert await report(app, "email.bounced", id, "mailbox\nfull") == 204
        assert await report(app, "mail.delivered", id) == 204
        delivery, error, *_ = await state(app)
        assert (delivery, error) == ("BOUNCED", "mailbox full")
        audit = """query($id: ID!) { workspace(id: $id) {
          auditLog(first: 9, filter: {types: ["InvitationDeliveryChanged"]}) { totalCount } } }"""
        log = await app.data(audit, id=await app.home())
        assert log["auditLog"]["totalCount"] == 3, "SENT, DELIVERED, BOUNCED"


async def test_a_report_without_a_good_signature_changes_nothing(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        await invite(app, "ada@example.org")
        [mail] = await box.get()
        await until(lambda: deliveries(app), ["SENT"])
        id = mail["Message-ID"]
        other = "whsec_" + "YW5vdGhlciBzZWNyZXQgYW5vdGhlciBzZWNyZXQ="
        assert await report(app, "mail.bounced", id, secret=other) == 401
        for minutes in (-6, 6):
            late = datetime.now(UTC) + timedelta(minutes=minutes)
            assert await report(app, "mail.bounced", id, at=late) == 401
        body, headers = signed({"type": "mail.bounced", "data": {"message_id": id}})
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
            without = {key: value for key, value in headers.items() if key != name}
            for given in (without, {**without, name: "nonsense"}, {**without, name: "v1,é"}):
                given = {key: value.encode() for key, value in given.items()}
                answer = await app.client.post("/webhooks/mail", content=body, headers=given)
                assert answer.status_code == 401, (name, given)
        answer = await app.client.post("/webhooks/mail", content=body + " ", headers=headers)
        assert answer.status_code == 401, "another body"
        for bad in ("[]", "null", "{}", '{"type": "x.bounced", "data": []}', "{", '"x"'):
            body, headers = signed(bad)
            answer = await app.client.post("/webhooks/mail", content=body, headers=headers)
            assert answer.status_code == 400, bad
        body, headers = signed("x" * 70_000)
        assert (await app.client.post("/webhooks/mail", content=body, headers=headers)).status_code == 413
        assert await report(app, "mail.bounced", "<nothing@board.example>") == 404
        assert (await app.client.get("/webhooks/mail")).status_code == 405
        assert await deliveries(app) == ["SENT"]


async def test_without_a_secret_there_are_no_reports(run):
    async with run() as app:
        assert await report(app, "mail.bounced", "<x@y>") == 404


# Templates, headers and settings.


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("invitation.txt", "Subject: x\n\n{{ settings.secret_key }}", "invitation.txt names settings"),
        ("invitation.html", "{{ inviter }} {{ SECRET_KEY }}", "invitation.html names SECRET_KEY"),
        ("invitation.html", "{% for x in %}", "invitation.html cannot be read"),
        ("invitation.html", "{% include '../../../../etc/passwd' %}", "invitation.html"),
        ("invitation.txt", "{{ link }}", "invitation.txt must begin with `Subject: `"),
    ],
)
async def test_a_template_with_secrets_is_refused_at_the_start(tmp_path, file, text, said):
    (tmp_path / file).write_text(text)
    given = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3",
        "SECRET_KEY": KEY,
        "MAIL_TEMPLATES": str(tmp_path),
    }
    status, out, err = await begin(tmp_path, "serve", "--migrate", **given)
    assert (status, out) == (2, "")
    assert err.startswith(f"signalbox: MAIL_TEMPLATES: {said}"), err
    assert err.count("\n") == 1
    assert KEY not in err


async def test_own_templates_replace_ours(run, tmp_path):
    (tmp_path / "invitation.txt").write_text("Subject: Join {{ workspace }}\n\nGo to {{ link }}")
    async with mailbox() as box, run(**mailing(box, mail_templates=str(tmp_path))) as app:
        await invite(app, "ada@example.org")
        [mail] = await box.get()
        assert mail["Subject"] == "Join Home"
        assert mail.get_body(("plain",)).get_content().startswith("Go to https://board.example/#invitation=")
        assert "owner invites you" in mail.get_body(("html",)).get_content(), "the other file is ours"


def test_a_header_cannot_be_injected():
    parts = ("<x@y>", datetime.now(UTC), ("Hello\r\nBcc: eve@example.org", "text", "html"))
    with pytest.raises(MailRefused):
        message_of("box@board.example", "ada@example.org", *parts)
    with pytest.raises(MailRefused):
        message_of("box@board.example", "ada@example.org\r\nBcc: eve@example.org", *parts)
    folder = Path(__file__).parent.parent / "templates" / "mail"
    values = {"inviter": "a\r\nBcc: eve@example.org", "workspace": "w" * 500, "link": "x"}
    subject, *_ = MailTemplates([folder]).render("invitation", values)
    assert "\n" not in subject
    assert len(subject) <= 200


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("smtp://mail.example", (587, False, True)),
        ("smtp://127.0.0.1:25", (25, False, None)),
        ("smtps://me:p%40ss@mail.example", (465, True, False)),
        ("smtp://mail.example:25?tls=none", (25, False, False)),
    ],
)
def test_the_password_goes_over_tls_only(url, tls):
    server = SmtpServer.parse(url)
    assert (server.port, server.use_tls, server.start_tls) == tls
    with pytest.raises(ValueError, match="without a password"):
        SmtpServer.parse("smtp://me:secret@mail.example?tls=none")


async def test_old_mails_and_invitations_are_purged(run):
    async with mailbox() as box, run(**mailing(box)) as app:
        await has_address(app, "ada", "old@example.org")
        await invite(app, "old@example.org", "new@example.org", "accepted@example.org")
        await box.get(3)
        await until(lambda: deliveries(app), ["SENT"] * 3)
        async with app.begin() as tx:
            long_ago = utcnow() - timedelta(days=31)
            old = Invitation.email.in_(["old@example.org", "accepted@example.org"])
            await tx.execute(update(Invitation).where(old).values(expires_at=long_ago))
            accepted = Invitation.email == "accepted@example.org"
            await tx.execute(update(Invitation).where(accepted).values(accepted_at=long_ago))
            await tx.execute(
                update(Mail).where(Mail.recipient == "new@example.org").values(created_at=long_ago)
            )
        assert await purge(app.services.database) == 2
        rows = await app.services.database.read(select(Invitation.email, Invitation.mail_id))
        assert {row.email: row.mail_id is None for row in rows} == {
            "new@example.org": True,
            "accepted@example.org": False,
        }
        assert await purge(app.services.database) == 0
