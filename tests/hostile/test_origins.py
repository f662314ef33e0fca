"""Pages of other origins: those that are allowed may send what their libraries add; others can read why not."""

import logging

import pytest

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)

UI, EVIL = "https://ui.example", "https://evil.example"
SENT_BY_LIBRARIES = (
    "authorization, content-type, apollographql-client-name, apollographql-client-version,"
    " apollo-require-preflight, traceparent, tracestate, baggage, sentry-trace, last-event-id, idempotency-key"
)


async def preflight(app, origin, headers):
    given = {"origin": origin, "access-control-request-method": "POST"}
    given |= {"access-control-request-headers": headers}
    return await app.client.request("OPTIONS", "/graphql", headers=given)


async def test_an_allowed_page_may_send_what_its_libraries_add(run):
    async with run(allowed_origins=UI) as app:
        answer = await preflight(app, UI, SENT_BY_LIBRARIES)
        assert answer.status_code == 200, answer.text
        allowed = answer.headers["access-control-allow-headers"].lower()
        assert set(SENT_BY_LIBRARIES.split(", ")) <= set(allowed.split(", "))
        assert answer.headers["access-control-allow-origin"] == UI
        assert (await preflight(app, UI, "x-unheard-of")).status_code == 400


@pytest.mark.parametrize("origins", ["", UI])
async def test_a_page_that_may_not_call_can_read_why(run, caplog, origins):
    async with run(allowed_origins=origins) as app:
        with caplog.at_level(logging.WARNING):
            before = await preflight(app, EVIL, "content-type, x-anything")
            asked = [await app.post("{ __typename }", headers={"origin": EVIL}) for _ in range(5)]
    assert before.status_code == 204
    assert before.headers["access-control-allow-headers"] == "content-type, x-anything"
    for answer in asked:
        assert answer.status_code == 403
        assert answer.headers["access-control-allow-origin"] == EVIL
        assert "access-control-allow-credentials" not in answer.headers
        assert "ALLOWED_ORIGINS" in answer.json()["errors"][0]["message"]
    told = [record.getMessage() for record in caplog.records if EVIL in record.getMessage()]
    assert len(told) == 1, "a page that goes on calling fills no log"


async def test_the_question_of_a_browser_under_a_wrong_name_is_refused(run):
    async with run() as app:
        headers = {"host": "evil.example", "origin": EVIL, "access-control-request-method": "POST"}
        answer = await app.client.request("OPTIONS", "/graphql", headers=headers)
        assert answer.status_code == 421
        assert "access-control-allow-origin" not in answer.headers
