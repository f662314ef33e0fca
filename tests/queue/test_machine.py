"""The queue against its model, in any order of steps; and the proof that this would find a bug."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.exc import IntegrityError

from kit.queue.errors import NotAsked
from tests.queue.machine import Memory, QueueMachine, Real, World
from tests.queue.mutants import MUTANTS, SPECIFIED, seeded

SECONDS = {"sqlite": 2.0, "postgresql": 1.5}  # however fast this machine is
BATCH = {"sqlite": 4, "postgresql": 2}  # examples between two looks at the clock
SHORT = (
    12  # steps in which each of the fourteen bugs shows: many short walks are cheaper than a few long ones
)
QUIET = settings(
    deadline=None,
    database=None,
    print_blob=False,
    report_multiple_bugs=False,  # the first is enough
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def world(kind: str, fresh: Callable[[], Any]) -> Iterator[World]:
    world: World
    if kind == "sqlite":
        world = Memory()
    else:
        with asyncio.Runner() as runner:
            world = Real(runner.run(fresh()))
    yield world
    world.close()


def drive(
    world: World, examples: int, *, steps: int = 30, phases: Sequence[Phase] = (Phase.generate,)
) -> None:
    machine = type("Machine", (QueueMachine,), {"world": world})
    options = settings(QUIET, max_examples=examples, stateful_step_count=steps, phases=phases)
    run_state_machine_as_test(machine, settings=options)


def caught(world: World, name: str, seconds: float, *, steps: int = 30) -> bool:
    """Whether a bug is found within so many seconds."""
    end = time.monotonic() + seconds
    with seeded(name):
        while time.monotonic() < end:
            try:
                drive(world, 10, steps=steps)
            except (AssertionError, IntegrityError, NotAsked):  # nothing else: a broken test is no bug found
                return True
    return False


def test_the_queue_does_what_its_model_does(world: World, kind: str) -> None:
    end = time.monotonic() + SECONDS[kind]
    drive(world, BATCH[kind])
    while time.monotonic() < end:
        drive(world, BATCH[kind])


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_queue_does_what_its_model_does_for_long(world: World, kind: str) -> None:
    drive(world, 2_000 if kind == "sqlite" else 300, steps=40)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_fourteen_seeded_bugs_are_caught(world: World, kind: str) -> None:
    assert [name for name in SPECIFIED if not caught(world, name, 120, steps=SHORT)] == []


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("name", MUTANTS)
def test_every_seeded_bug_is_caught_five_times_of_five(world: World, kind: str, name: str) -> None:
    assert [caught(world, name, 60) for _ in range(5)] == [True] * 5
