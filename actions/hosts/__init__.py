"""Adapters of code hosts. Each speaks the API of one host and returns the plain values of `actions.hosts.host`."""
