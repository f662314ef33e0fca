"""The event log: numbered events for each topic, their retention, and how readers are woken."""
