"""Preferences: validated, for their owner only, and muted types are not told."""

import pytest

UPDATE = """mutation($input: UpdatePreferencesInput!) { updatePreferences(input: $input) {
  __typename ... on User { id version } ... on Refusal { code } ... on Invalid { issues { path } } } }"""
SHOW = """{ viewer { preferences {
  timeZone baseBranch branchPrefix agentProfileId codingMode mutedNotifications mailedNotifications digest } } }"""
DEFAULTS = {
    "timeZone": "UTC",
    "baseBranch": None,
    "branchPrefix": None,
    "agentProfileId": None,
    "codingMode": None,
    "mutedNotifications": [],
    "mailedNotifications": [],
    "digest": "OFF",
}


async def shown(app, actor=""):
    return (await app.data(SHOW, actor))["preferences"]


async def test_preferences_are_kept_and_cleared(run):
    async with run() as app:
        await app.has_user("max")
        assert await shown(app) == DEFAULTS
        given = {
            "timeZone": "Europe/Paris",
            "baseBranch": "main",
            "branchPrefix": "me/",
            "codingMode": "SEMI_AUTO",
            "mutedNotifications": ["CARD_MOVED", "ASSIGNED"],
        }
        version = (await app.data(UPDATE, input=given))["version"]
        wanted = {**DEFAULTS, **given, "mutedNotifications": ["ASSIGNED", "CARD_MOVED"]}
        assert await shown(app) == wanted
        assert await shown(app, "max") == DEFAULTS
        stale = await app.data(UPDATE, input={"baseBranch": None, "ifVersion": version - 1})
        assert stale["code"] == "STALE"
        await app.data(UPDATE, input={"baseBranch": None, "codingMode": None})
        assert await shown(app) == {**wanted, "baseBranch": None, "codingMode": None}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"timeZone": "Mars/Phobos"}, "timeZone"),
        ({"timeZone": "../../etc/passwd"}, "timeZone"),
        ({"timeZone": ""}, "timeZone"),
        ({"timeZone": None}, "timeZone"),
        ({"baseBranch": "x" * 201}, "baseBranch"),
        ({"branchPrefix": "\x07"}, "branchPrefix"),
        ({"mutedNotifications": ["ASSIGNED", "ASSIGNED"]}, "mutedNotifications"),
    ],
)
async def test_bad_preferences_are_named(run, given, path):
    async with run() as app:
        answer = await app.data(UPDATE, input=given)
        assert (answer["code"], answer["issues"]) == ("INVALID", [{"path": path}])
        assert await shown(app) == DEFAULTS


async def test_a_profile_that_one_does_not_see_is_not_found(run):
    async with run() as app:
        await app.has_user("eve", None)
        make = """mutation($id: ID!) { createAgentProfile(input: {workspaceId: $id, name: "p", executor: COMMAND}) {
          ... on AgentProfile { id } } }"""
        profile = (await app.data(make, id=await app.home()))["id"]
        assert (await app.data(UPDATE, "eve", input={"agentProfileId": profile}))["code"] == "NOT_FOUND"
        assert (await app.data(UPDATE, input={"agentProfileId": profile}))["__typename"] == "User"
        assert (await shown(app))["agentProfileId"] == profile


async def test_muted_types_are_not_told(run):
    async with run() as app:
        ids = {name: await app.has_user(name) for name in ("max", "zoe")}
        await app.data(UPDATE, "max", input={"mutedNotifications": ["ASSIGNED"]})
        _, [card] = await app.has_board("One")
        assign = """mutation($card: ID!, $user: ID!) { assignCard(input: {cardId: $card, userId: $user}) {
          __typename } }"""
        for id in ids.values():
            await app.data(assign, card=card, user=id)
        for name, count in (("max", 0), ("zoe", 1)):
            told = await app.data("{ notifications { nodes { type } } }", name)
            assert told["nodes"] == [{"type": "ASSIGNED"}] * count
