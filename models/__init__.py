"""TRUTH: tables and the law. Importing this package makes every table known to the metadata."""

from kit import queue  # noqa: F401
from kit.eventlog import tables  # noqa: F401
from models import account, batch, board, card, message, notice, question, run, worker, workspace  # noqa: F401
