"""What a warm process has done before it is told what to do: see tests/warm.py."""

import gc

import agents.start  # noqa: F401 - what a worker imports when it is begun
import server  # noqa: F401
from schema.make import make_schema

make_schema()
gc.collect()
gc.freeze()
