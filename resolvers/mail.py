"""Reports of mail providers: `POST /webhooks/mail`, signed as Standard Webhooks.

A report names a mail by its Message-ID. Providers repeat reports; a repeated one changes nothing.
"""

import json
import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from actions.mail import settle_mail
from auth.services import Services
from models.mail import DeliveryStatus, Mail

log = logging.getLogger("signalbox.mail")
MAX_REPORT_BYTES = 64 * 1024
# The last word of a report's type: `mail.delivered`, `email.delivered`.
STATUSES = {
    "delivered": DeliveryStatus.DELIVERED,
    "bounced": DeliveryStatus.BOUNCED,
    "failed": DeliveryStatus.FAILED,
}


async def receive_mail_report(services: Services, request: Request) -> Response:
    """Note the delivery of a mail. 204 once it is noted, also for a report that says nothing about delivery.

    400: not a report. 401: no valid signature. 404: no MAIL_WEBHOOK_SECRET is set, or the mail is unknown. 413: too
    large.
    """
    from standardwebhooks import Webhook, WebhookVerificationError

    secret = services.settings.mail_webhook_secret.get_secret_value()
    if not secret:
        return _answer(404, "MAIL_WEBHOOK_SECRET is not set")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_REPORT_BYTES:
            return _answer(413, f"A report has at most {MAX_REPORT_BYTES} bytes")
    try:
        Webhook(secret).verify(body, dict(request.headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # of base64 and UTF-8 too
        return _answer(401, "The signature is missing, wrong or too old")
    try:
        report = json.loads(body)
        kind, data = str(report["type"]), report["data"]
        message_id = str(data.get("message_id") or data["messageId"])
        reason = str(data.get("reason") or "") or None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _answer(400, "A report has a type, and data with message_id")
    status = STATUSES.get(kind.rpartition(".")[2])
    if status is None:
        return Response(status_code=204)
    clean = " ".join("".join(char if char.isprintable() else " " for char in reason or "").split()) or None
    if not await settle_mail(services, Mail.message_id == message_id[:300], status, clean):
        return _answer(404, "No mail has that Message-ID")
    return Response(status_code=204)


def _answer(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status, {"cache-control": "no-store"})
