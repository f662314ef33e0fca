"""The services of a process: database, event log, tokens and limits. Created once, in server.py."""

from dataclasses import dataclass, field

from auth.host_tokens import HostTokens
from auth.key_usage import KeyUsage
from auth.passwords import Seal
from auth.secrets import Secrets
from auth.subscriber_access import SubscriberAccess
from auth.tokens import Tokens
from kit.db.database import Database
from kit.eventlog.event_log import EventLog
from kit.file_store import FileStore
from kit.graphql.limits.rate import AttemptLimiter
from kit.outbound import Outbound
from kit.settings import Settings


@dataclass
class Services:
    """The services that operations share."""

    settings: Settings
    database: Database
    event_log: EventLog
    tokens: Tokens
    seal: Seal
    secrets: Secrets
    outbound: Outbound
    host_tokens: HostTokens = field(default_factory=HostTokens)
    attempts: AttemptLimiter = field(default_factory=AttemptLimiter)  # failed passwords and tokens
    uses: KeyUsage = field(init=False)
    subscriber_access: SubscriberAccess = field(init=False)
    uploads: int = 0  # files that are being uploaded
    files: FileStore = field(init=False)
    is_blind: bool = False  # while revocation cannot be checked, because the database does not answer

    def __post_init__(self) -> None:
        self.files = FileStore(self.settings.files_at)
        self.uses = KeyUsage(self.database)
        self.subscriber_access = SubscriberAccess(self.database)
