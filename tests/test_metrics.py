"""/metrics: Prometheus reads it with a token, and clients cannot make it grow."""

import json
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from kit.metrics import MAX_OPERATION_NAMES
from tests.runs import has_run

TOKEN = "t" * 40


async def scrape(app, token=TOKEN):
    return await app.client.get("/metrics", headers={"authorization": f"Bearer {token}"})


async def samples(app):
    answer = await scrape(app)
    assert answer.status_code == 200, answer.text
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found[sample.name, *sorted(sample.labels.items())] = sample.value
    return found


async def test_there_are_no_metrics_without_a_token_and_none_for_a_wrong_one(run):
    async with run() as app:
        assert (await scrape(app)).status_code == 404
    async with run(metrics_token=TOKEN) as app:
        for token in ("", "x" * 40, TOKEN[:-1], "ü"):
            answer = await app.client.get("/metrics", headers={"authorization": f"Bearer {token}".encode()})
            assert (answer.status_code, "signalbox_" in answer.text) == (401, False)


async def test_operations_errors_and_cost_are_counted(run):
    async with run(metrics_token=TOKEN) as app:
        before = await samples(app)
        await app.ask("query Mine { viewer { kind } }")
        await app.ask("query Mine { nothing }")
        after = await samples(app)
    labels = ("name", "Mine"), ("transport", "http"), ("type", "query")
    assert after["signalbox_operation_seconds_count", *labels] == 2
    code = "signalbox_operation_errors_total", ("code", "GRAPHQL_VALIDATION_FAILED")
    assert after[code] - before.get(code, 0) == 1
    cost = ("signalbox_operation_cost_total",)
    assert after[cost] > before[cost]
    assert after[("signalbox_database_up",)] == 1


async def test_the_queue_is_measured(run):
    async with run(metrics_token=TOKEN) as app:
        queued = "signalbox_jobs", ("queue", "runs"), ("state", "queued")
        active = "signalbox_jobs", ("queue", "runs"), ("state", "active")
        before = await samples(app)
        await has_run(app)
        after = await samples(app)
        assert after[active] == 1
        assert after.get(queued, 0) == before.get(queued, 0) == 0
        assert (after[("signalbox_workers",)], after[("signalbox_leases",)]) == (1, 1)
        assert after[("signalbox_claim_wait_seconds_count",)] == 1


async def test_names_that_clients_choose_are_bounded(run):
    async with run(metrics_token=TOKEN) as app:
        for n in range(MAX_OPERATION_NAMES + 20):
            await app.ask(f"query Name{n} {{ __typename }}")
        names = {dict(key[1:]).get("name") for key in await samples(app) if "operation" in key[0]} - {None}
        assert "other" in names
        assert len(names) <= MAX_OPERATION_NAMES + 2


async def test_the_dashboard_shows_metrics_that_there_are(run):
    dashboard = json.loads((Path(__file__).parent.parent / "deploy" / "grafana.json").read_text())
    text = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    async with run(metrics_token=TOKEN) as app:
        await app.ask("query Mine { nothing }")
        await has_run(app)
        _, [card] = await app.has_board("It waits")
        await app.data("mutation($id: ID!) { startRun(input: {cardId: $id}) { __typename } }", id=card)
        known = {name for name, *_ in await samples(app)}
    named = set(re.findall(r"(?:signalbox|process)_\w+", text)) - {"signalbox"}
    assert len(named) > 12
    assert named <= known, named - known
