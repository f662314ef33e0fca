"""Who may do what: every mutation, by everybody there is.

The table is tests/tenants.py; this says a second time what a role means.
"""

import pytest

from tests.tenants import (
    ADMIN,
    ANYONE,
    AUTHOR,
    BOARD,
    MEMBER,
    MUTATIONS,
    PERSON,
    SCHEMA,
    WORK,
    Case,
)

# What each may do, and what it is answered for the rest.
MAY: dict[str, tuple[set[str], str]] = {
    "anonymous": ({ANYONE}, "UNAUTHENTICATED"),
    "foreign": ({ANYONE, PERSON}, "NOT_FOUND"),
    "vic": ({ANYONE, PERSON}, "FORBIDDEN"),
    "max": ({ANYONE, PERSON, MEMBER, BOARD, WORK}, "FORBIDDEN"),
    "ann": ({ANYONE, PERSON, MEMBER, BOARD, WORK, AUTHOR, ADMIN}, ""),
    "read key": ({ANYONE}, "FORBIDDEN"),
    "write key": ({ANYONE, MEMBER, BOARD, WORK}, "FORBIDDEN"),
    "board key": ({ANYONE, BOARD, WORK}, "FORBIDDEN"),
    "worker key": ({ANYONE, WORK}, "FORBIDDEN"),
}


def test_every_mutation_is_listed():
    listed, there = set(MUTATIONS), set(SCHEMA.mutation_type.fields)
    assert listed == there, f"say in tests/tenants.py who may: {there - listed}; gone: {listed - there}"


def expected(who: str, case: Case) -> str | None:
    """The code of the refusal, or None where it is allowed."""
    may, refusal = MAY[who]
    return case.answer if case.who in may else case.instead.get(who, refusal)


@pytest.mark.parametrize("who", MAY)
async def test_the_matrix(two, who):
    async with two() as (_, home, away):
        actor = "" if who == "anonymous" else home.actor(who)
        if who == "foreign":
            actor = away.actor("ann")
        wrong = []
        for name, case in MUTATIONS.items():
            answer = await home.mutate(name, home.fill(case.input), actor)
            wanted = expected(who, case)
            refused = answer.get("code")
            if refused != wanted:
                wrong.append(f"{name}: {refused}, not {wanted}")
        assert wrong == []


async def test_a_refused_change_changed_nothing(two):
    async with two() as (app, home, _):
        look = "query($id: ID!) { workspace(id: $id) { version auditLog(first: 1) { totalCount } } }"
        before = await app.data(look, home.actor("ann"), id=home.ids["workspace"])
        for who in ("vic", "read key"):
            for name, case in MUTATIONS.items():
                if case.who not in MAY[who][0]:
                    await home.mutate(name, home.fill(case.input), home.actor(who))
        assert await app.data(look, home.actor("ann"), id=home.ids["workspace"]) == before
