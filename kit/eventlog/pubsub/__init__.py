"""Publish/subscribe between processes: a notification that a topic has new events.

A notification names a topic and carries no event: subscribers read the events from the log. A lost
notification therefore delays a subscriber by at most `PubSub.poll` seconds, because subscribers also
poll. It never loses an event.

    with wakes.listen(topic) as grew:
        while True:
            grew.clear()  # before looking, so a commit during the look is not slept through
            ...  # read the log
            await grew.wait(wakes.poll)
"""

from kit.eventlog.pubsub.hub import Listener
from kit.eventlog.pubsub.pubsub import PubSub

__all__ = ["Listener", "PubSub"]
