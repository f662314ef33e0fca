"""One attempt to tell an endpoint: a message is encoded, signed and posted, and its answer becomes a result."""

import time
from dataclasses import dataclass
from typing import Any

from actions.webhook_endpoint.payload import encode
from auth.secrets import SecretLost, Secrets
from kit.db.database import utcnow
from kit.outbound import CallFailed, Outbound
from models.webhook_endpoint import MAX_ANSWER_LENGTH, MAX_DELIVERY_ERROR_LENGTH, EndpointFormat

POST_SECONDS = 15.0  # for one answer
GONE = 410  # the endpoint wants no more messages


@dataclass(frozen=True)
class PostResult:
    """The result of one attempt. `error` is None if it succeeded."""

    code: int | None
    body: str | None
    error: str | None
    duration_ms: int
    retry_after: float = 0.0


def seal_name(endpoint_id: str, format: EndpointFormat) -> str:
    """Return the owner that an endpoint's secret is sealed for."""
    return f"{endpoint_id} {format}"


async def post_message(
    outbound: Outbound, secrets: Secrets, endpoint: Any, id: str, message: dict[str, Any], text: str
) -> PostResult:
    """Post a message to an endpoint once. Never raises for what the other side does."""
    began = time.monotonic()
    try:
        url, headers, content = _request_of(secrets, endpoint, id, message, text)
        answer = await outbound.post_once(
            url, content, headers=headers, seconds=POST_SECONDS, most=4 * MAX_ANSWER_LENGTH
        )
    except SecretLost as lost:
        return _failed(began, f"The secret cannot be read: {lost}")
    except CallFailed as failure:
        return _failed(began, str(failure))
    shown = "".join(char if char.isprintable() else " " for char in answer.body.decode(errors="replace"))
    error = None
    if 300 <= answer.status < 400:
        error = f"The endpoint redirects ({answer.status}); give its final address"
    elif not 200 <= answer.status < 300:
        error = f"The endpoint answered {answer.status}"
    took = int((time.monotonic() - began) * 1000)
    wait = answer.retry_after if answer.status in (429, 503) else None
    return PostResult(answer.status, shown[:MAX_ANSWER_LENGTH], error, took, wait or 0.0)


def _failed(began: float, reason: str) -> PostResult:
    took = int((time.monotonic() - began) * 1000)
    return PostResult(None, None, reason[:MAX_DELIVERY_ERROR_LENGTH], took)


def _request_of(
    secrets: Secrets, endpoint: Any, id: str, message: dict[str, Any], text: str
) -> tuple[str, dict[str, str], bytes]:
    """Return the URL, the headers and the body of a message. Raises SecretLost."""
    owner = seal_name(endpoint.id, endpoint.format)
    secret = secrets.open(endpoint.secret, owner)
    content = encode(endpoint.format, message, text)
    headers = {"content-type": "application/json"}
    if endpoint.format is not EndpointFormat.STANDARD:
        return secret, headers, content
    now = utcnow()
    signing = [secret]
    if endpoint.old_secret is not None and endpoint.old_secret_until > now:
        signing.append(secrets.open(endpoint.old_secret, owner))
    from standardwebhooks import Webhook

    signatures = [Webhook(key).sign(id, now, content.decode()) for key in signing]
    headers |= {
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return endpoint.url, headers, content
