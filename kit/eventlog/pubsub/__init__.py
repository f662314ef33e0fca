"""Telling every process that a topic grew.

A wake says that a topic has news, never what the news is: that stands in the log. Losing every
wake therefore costs time (at most `PubSub.poll` seconds, for followers also look unasked), never an
event.

    with wakes.listen(topic) as grew:
        while True:
            grew.clear()  # before looking, so a commit during the look is not slept through
            ...  # read the log
            await grew.wait(wakes.poll)
"""

from kit.eventlog.pubsub.hub import Listener
from kit.eventlog.pubsub.pubsub import PubSub

__all__ = ["Listener", "PubSub"]
