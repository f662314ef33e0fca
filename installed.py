"""The installed program `signalbox`: the package `signalbox` of the wheel.

Its folder is a checkout's: it comes first on the path, and its modules have the names that they have there.
"""

import gc
import sys
from pathlib import Path


def main() -> None:
    """Run the command line of server.py."""
    gc.disable()  # imports make no garbage
    sys.path.insert(0, str(Path(__file__).parent))
    from server import command_line

    command_line(prog_name="signalbox")
