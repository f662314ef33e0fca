"""Runs under any order of steps, of people, workers and time."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.scenarios.machine import House, RunMachine

SECONDS = 4.0  # however fast this machine is
QUIET = settings(deadline=None, database=None, print_blob=False, suppress_health_check=list(HealthCheck))


@pytest.fixture
def services(run: Any) -> Iterator[House]:
    services = House(run)
    yield services
    services.close()


def drive(services: House, examples: int, steps: int = 40) -> None:
    machine = type("Machine", (RunMachine,), {"services": services})
    options = settings(QUIET, max_examples=examples, stateful_step_count=steps, phases=[Phase.generate])
    run_state_machine_as_test(machine, settings=options)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_runs_stay_sound_in_any_order_of_steps(services: House) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        drive(services, 2)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_runs_stay_sound_in_any_order_of_steps_for_long(services: House, kind: str) -> None:
    drive(services, 400, steps=40)
