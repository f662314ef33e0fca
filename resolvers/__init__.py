"""How fields are answered: relations and paginated queries as data, resolvers, subscriptions.

Every described enum is made a GraphQL enum here, before a signature uses it.
"""

from enum import Enum

import auth.permissions  # noqa: F401 - defines an enum
import models.actor
import models.policy
import models.readiness  # noqa: F401 - defines an enum
from kit.described_enum import DescribedEnum, DescribedIntEnum
from kit.graphql.types import graphql_enum
from protocol import events
from protocol.protocol_enum import ProtocolEnum

GRAPHQL_NAMES: dict[type[Enum], str] = {
    events.EventType: "RunEventType",
    events.AgentStatus: "ProgramState",
    events.FileChange: "FileChangeKind",
    events.LifecyclePhase: "WorkPhase",
    events.DecisionState: "AskState",
    events.ContributionKind: "ProducedKind",
}

for base in (DescribedEnum, DescribedIntEnum, ProtocolEnum):
    for described in base.__subclasses__():
        graphql_enum(described, name=GRAPHQL_NAMES.get(described))
