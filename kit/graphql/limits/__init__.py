"""Limits on documents, lists, cost and rate."""
