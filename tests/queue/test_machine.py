"""The queue against its model, in any order of steps; and the proof that this would find a bug."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.queue.machine import QueueMachine, World
from tests.queue.mutants import MUTANTS, SPECIFIED, seeded

EXAMPLES = {"sqlite": 60, "postgresql": 20}
QUIET = settings(deadline=None, database=None, print_blob=False, suppress_health_check=list(HealthCheck))


@pytest.fixture
def world(fresh: Callable[[], Any]) -> Iterator[World]:
    import asyncio

    with asyncio.Runner() as runner:
        url = runner.run(fresh())
    world = World(url)
    yield world
    world.close()


def drive(world: World, **options: Any) -> None:
    machine = type("Machine", (QueueMachine,), {"world": world})
    run_state_machine_as_test(machine, settings=settings(QUIET, **options))


def caught(world: World, name: str, examples: int) -> bool:
    with seeded(name):
        try:
            drive(world, max_examples=examples, stateful_step_count=30, phases=[Phase.generate])
        except Exception:
            return True
    return False


def test_the_queue_does_what_its_model_does(world: World, kind: str) -> None:
    drive(world, max_examples=EXAMPLES[kind], stateful_step_count=30, phases=[Phase.generate])


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_queue_does_what_its_model_does_for_long(world: World, kind: str) -> None:
    drive(world, max_examples=3_000 if kind == "sqlite" else 1_000, stateful_step_count=40)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_seeded_bugs_are_caught(world: World, kind: str) -> None:
    missed = [name for name in SPECIFIED if not caught(world, name, 300)]
    assert missed == []


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("name", MUTANTS)
def test_every_seeded_bug_is_caught_five_times_of_five(world: World, kind: str, name: str) -> None:
    assert [caught(world, name, 1_000) for _ in range(5)] == [True] * 5
