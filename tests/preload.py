"""What a warm process has done before it is told what to do: see tests/warm.py."""

import gc

import server  # noqa: F401
import worker.startup  # noqa: F401 - what a worker imports when it is begun
from schema.build import make_schema

make_schema()
gc.collect()
gc.freeze()
