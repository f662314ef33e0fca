"""Outgoing webhooks: the endpoints, and the messages that tell them of the events of the log."""
