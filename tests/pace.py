"""How slow this machine is just now, for tests that hold the clock to a promise."""

import time

NORMAL = 0.025  # seconds that the loop below takes where the promises were measured, nothing else running


def leeway(seconds: float) -> float:
    """So many seconds, or more on a machine that is slow or busy at this moment.

    For the upper bound of what is promised to be quick; never for waiting, which can be generous anyway.
    """
    began = time.monotonic()
    sum(number * number for number in range(400_000))
    return seconds * max(1.0, (time.monotonic() - began) / NORMAL)
