"""What is wrong with an input is said by the library, with its path."""

import pytest

from tests.runs import REPORT, has_run, output

WRONG = {
    "no member": {"type": "ODD"},
    "a field too much": {"type": "OUTPUT", "odd": 1},
    "nothing": None,
    "too little": {"text": "x"},
}


@pytest.mark.parametrize("event", WRONG.values(), ids=WRONG)
async def test_what_is_wrong_is_said_by_the_library(run, event):
    async with run() as app:
        held = await has_run(app)
        asked = {"lease": held.lease, "key": "1", "events": [output("one"), event]}
        answer = await app.ask(REPORT, input=asked)
        [error] = answer["errors"]
        assert error["message"].startswith("Variable '$input' has invalid value at .events[1]"), error
