"""TRUTH: tables and the law. Importing this package makes every table known to the metadata."""

from models import account, batch, board, card, message, notice, question, run, worker, workspace  # noqa: F401
from runtime import event, queue  # noqa: F401
