"""READS: how each field is answered, and the thin adapters of each change."""

from resolvers import enums  # noqa: F401 - enums are described before a signature speaks them
