"""Broadcast: one execution and one encoding for all subscribers who follow the same."""
