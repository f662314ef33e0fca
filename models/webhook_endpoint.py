"""Outgoing webhooks: the endpoints of a workspace, how far each has been told, and the log of its deliveries."""

import hashlib
from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.described_enum import DescribedEnum
from kit.eventlog.tables import Number
from kit.ids import base32
from kit.ids import maker as id_maker
from models.columns import Editable, Stamped, enum_column

MAX_ENDPOINTS = 20  # of a workspace
MAX_ENDPOINT_NAME_LENGTH = 100
MAX_URL_LENGTH = 2_000
MAX_ENDPOINT_BOARDS = 100
MAX_ENDPOINT_EVENT_TYPES = 200
MAX_DELIVERIES = 2_000  # of one endpoint; older ones are deleted
MAX_ANSWER_LENGTH = 500  # characters of an answer that are kept
MAX_DELIVERY_ERROR_LENGTH = 300
# Seconds before the second, third, … attempt. After the last one the delivery has failed.
RETRY_SECONDS = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 43_200.0, 86_400.0)
DISABLED_AFTER_DAYS = 5  # without one success


class EndpointFormat(DescribedEnum):
    """The form of the messages to an endpoint."""

    STANDARD = "STANDARD", "JSON, signed as Standard Webhooks describes."
    SLACK = "SLACK", "A line of text for an incoming webhook of Slack, Mattermost or Rocket.Chat."
    TEAMS = "TEAMS", "A card for a workflow of Microsoft Teams."


class EndpointDeliveryStatus(DescribedEnum):
    """The status of a delivery."""

    PENDING = "PENDING", "An attempt failed; another one follows."
    DELIVERED = "DELIVERED", "The endpoint answered with 2xx."
    FAILED = "FAILED", "It failed for good. It can be sent again with `redriveDelivery`."


class WebhookEndpoint(Editable, Base):
    __tablename__ = "webhook_endpoint"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=id_maker("endpoint"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(MAX_ENDPOINT_NAME_LENGTH))
    format: Mapped[EndpointFormat] = mapped_column(enum_column(EndpointFormat))
    url: Mapped[str] = mapped_column(String(MAX_URL_LENGTH))  # of a chat: its origin
    board_ids: Mapped[list[str] | None]  # None: the whole workspace
    event_types: Mapped[list[str] | None]  # None: all
    secret: Mapped[str] = mapped_column(Text)  # sealed: the signing secret; of a chat, its URL
    old_secret: Mapped[str | None] = mapped_column(Text)  # sealed; it signs too until `old_secret_until`
    old_secret_until: Mapped[datetime | None]
    is_enabled: Mapped[bool] = mapped_column(default=True)
    disabled_reason: Mapped[str | None] = mapped_column(String(MAX_DELIVERY_ERROR_LENGTH))
    failing_since: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer, default=0)  # since the last success
    next_attempt_at: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(String(40))  # of the process that sends
    lease_until: Mapped[datetime | None]


class WebhookCursor(Base):
    """How far an endpoint has been told of a topic. `seq` is the number of the last event that is settled."""

    __tablename__ = "webhook_cursor"

    endpoint_id: Mapped[str] = mapped_column(
        ForeignKey("webhook_endpoint.id", ondelete="CASCADE"), primary_key=True
    )
    topic: Mapped[str] = mapped_column(String(100), primary_key=True)
    seq: Mapped[int] = mapped_column(Number)
    attempts: Mapped[int] = mapped_column(Integer, default=0)  # of the next event
    next_attempt_at: Mapped[datetime | None]


class EndpointDelivery(Stamped, Base):
    __tablename__ = "endpoint_delivery"
    __table_args__ = (Index("ix_endpoint_delivery_endpoint_id", "endpoint_id", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)  # `message_id_of`: the id that the endpoint is told
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"), index=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoint.id", ondelete="CASCADE"))
    topic: Mapped[str | None] = mapped_column(String(100))  # None: a ping
    seq: Mapped[int | None] = mapped_column(Number)
    event_type: Mapped[str] = mapped_column(String(60))
    status: Mapped[EndpointDeliveryStatus] = mapped_column(
        enum_column(EndpointDeliveryStatus, "endpointdeliverystatus")
    )
    attempts: Mapped[int] = mapped_column(Integer)
    response_code: Mapped[int | None] = mapped_column(Integer)
    response_body: Mapped[str | None] = mapped_column(String(MAX_ANSWER_LENGTH))
    error: Mapped[str | None] = mapped_column(String(MAX_DELIVERY_ERROR_LENGTH))
    duration_ms: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime | None]


def message_id_of(endpoint_id: str, topic: str, epoch: str, seq: int, at: datetime) -> str:
    """Return the id of the message that tells an endpoint of an event.

    It follows from the event, so that it is the same in every attempt and after every crash. Ids sort by time.
    """
    digest = hashlib.sha256(f"{endpoint_id} {topic} {epoch} {seq}".encode()).digest()
    milliseconds = int(at.timestamp() * 1000)
    return f"msg_{base32(milliseconds << 80 | int.from_bytes(digest[:10]))}"
