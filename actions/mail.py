"""Mails: written to the outbox in the transaction of their cause, and sent by a job afterwards.

A mail is sent at least once: a server that ends between the mail server's answer and the note of it sends the mail
again, with the same Message-ID.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from actions.job import HANDLERS, JobFailed, enqueue_job
from auth.passwords import SealBroken
from auth.services import Services
from kit.db.database import utcnow
from kit.db.transaction import Author, Transaction
from kit.ids import new_id
from kit.mail import MailDelayed, MailRefused, MailTemplates, SmtpServer, message_of
from kit.settings import Settings, WrongSetting
from models.actor import Actor, ActorKind
from models.events.invitation import InvitationDeliveryChanged, invitation_facts
from models.invitation import Invitation
from models.mail import MAX_MAIL_ERROR_LENGTH, DeliveryStatus, Mail
from models.topic import workspace_scope

SEND_MAIL = "mail.send"
RETRY_SECONDS = (60.0, 120.0, 240.0)  # before the second, third and fourth attempt
FOLDER = Path(__file__).parent.parent / "templates" / "mail"
# The templates, and the values that each may name.
TEMPLATES: dict[str, frozenset[str]] = {
    "invitation": frozenset({"inviter", "workspace", "link"}),
    "password_reset": frozenset({"username", "link"}),
    "notifications": frozenset({"username", "subject", "lines", "link"}),
    "address": frozenset({"username", "link"}),
}
# The statuses that may follow. A provider's report may come after the mail was given up.
NEXT = {
    DeliveryStatus.PENDING: set(DeliveryStatus),
    DeliveryStatus.SENT: {DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.BOUNCED},
    DeliveryStatus.FAILED: {DeliveryStatus.DELIVERED, DeliveryStatus.BOUNCED},
    DeliveryStatus.DELIVERED: {DeliveryStatus.BOUNCED},
    DeliveryStatus.BOUNCED: set(),
}


@cache
def _templates(folder: str) -> MailTemplates:
    return MailTemplates([*([Path(folder)] if folder else []), FOLDER])


def check_templates(settings: Settings) -> None:
    """Raise WrongSetting if a template of MAIL_TEMPLATES cannot be used."""
    if settings.mail_templates:
        for name, values in TEMPLATES.items():
            try:
                _templates(settings.mail_templates).check(name, values)
            except MailRefused as error:
                raise WrongSetting(f"MAIL_TEMPLATES: {error}") from None


def count_mails(services: Services, actor: Actor) -> None:
    """Count a call that sends mails to addresses of the actor's choice. Raises RateLimited."""
    if services.settings.sends_mail:
        services.attempts.count(f"mail:{actor.id}")


async def enqueue_mail(
    tx: Transaction,
    services: Services,
    *,
    recipient: str,
    template: str,
    values: dict[str, str],
    workspace_id: str | None = None,
    user_id: str | None = None,
) -> Mail:
    """Write a mail to the outbox. It is sent if and only if the transaction commits."""
    assert values.keys() == TEMPLATES[template], "a template gets the values that it may name"
    id = new_id("mail")
    domain = services.settings.mail_from.rpartition("@")[2].rstrip(">")
    mail = Mail(
        id=id,
        workspace_id=workspace_id,
        user_id=user_id,
        message_id=f"<{id}@{domain}>",
        recipient=recipient,
        template=template,
        content=services.seal.close(json.dumps(values)),
    )
    tx.add(mail)
    await tx.flush()  # the job and the caller refer to it
    await enqueue_job(tx, SEND_MAIL, {"mail_id": id}, workspace_id=workspace_id)
    return mail


async def send_mail(services: Services, payload: dict[str, Any]) -> None:
    """Send a mail of the outbox, unless it was sent or given up."""
    id = payload["mail_id"]
    rows = await services.database.read(select(Mail.__table__).where(Mail.id == id))
    if not rows or rows[0].status is not DeliveryStatus.PENDING:
        return
    mail, settings = rows[0], services.settings
    try:
        if not settings.smtp_url.get_secret_value():
            raise MailDelayed("SMTP_URL is not set")
        values = json.loads(services.seal.open(mail.content))
        content = _templates(settings.mail_templates).render(mail.template, values)
        message = message_of(settings.mail_from, mail.recipient, mail.message_id, utcnow(), content)
        server = SmtpServer.parse(settings.smtp_url.get_secret_value())
        await server.send(message, mail.recipient, seconds=settings.smtp_seconds)
    except MailDelayed as error:
        await _put_off(services, mail, str(error))
    except (MailRefused, SealBroken) as error:
        await settle_mail(services, Mail.id == id, DeliveryStatus.FAILED, str(error))
        raise JobFailed(str(error), final=True) from error
    else:
        await settle_mail(services, Mail.id == id, DeliveryStatus.SENT)


async def _put_off(services: Services, mail: Any, reason: str) -> None:
    """Have a mail sent again later, or give it up. Raises JobFailed."""
    if mail.attempts >= len(RETRY_SECONDS):
        await settle_mail(services, Mail.id == mail.id, DeliveryStatus.FAILED, reason)
        raise JobFailed(reason, final=True)
    await settle_mail(services, Mail.id == mail.id, DeliveryStatus.PENDING, reason)
    raise JobFailed(reason, retry_in=RETRY_SECONDS[mail.attempts])


async def settle_mail(
    services: Services, which: Any, status: DeliveryStatus, error: str | None = None
) -> bool:
    """Note how a mail fared, and tell the workspace of its invitation. Returns whether there is such a mail.

    A status that cannot follow is ignored: reports come late, and more than once.
    """
    async with services.event_log.transaction(Author(ActorKind.SYSTEM)) as tx:
        mail = await tx.scalar(select(Mail).where(which).with_for_update())
        if mail is None or status not in NEXT[mail.status]:
            return mail is not None
        mail.error = error and error[:MAX_MAIL_ERROR_LENGTH]
        if status is DeliveryStatus.PENDING:
            mail.attempts += 1
        else:
            mail.status, mail.content = status, None
        if status is DeliveryStatus.SENT:
            mail.sent_at = utcnow()
        invitation = await tx.scalar(
            select(Invitation).where(Invitation.mail_id == mail.id).with_for_update()
        )
        if invitation is not None:
            is_new = invitation.delivery is not status
            invitation.delivery, invitation.delivery_error = status, mail.error
            if is_new:
                changed = InvitationDeliveryChanged(**invitation_facts(invitation), delivery=status)
                tx.emit(workspace_scope(invitation.workspace_id), changed)
        return True


HANDLERS[SEND_MAIL] = send_mail
