"""Who may do what: every mutation, by everybody there is.

The table is tests/tenants.py; this says a second time what a role means.
"""

from pathlib import Path

import pytest
from graphql import build_schema

from tests.conftest import NOBODY
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


def test_the_printed_role_is_the_one_that_is_judged():
    printed = build_schema((Path(__file__).parent.parent / "schema" / "schema.graphql").read_text())
    roles = {
        name: directive.arguments[0].value.value
        for name, field in printed.mutation_type.fields.items()
        for directive in field.ast_node.directives
    }
    assert roles == {name: {WORK: "WORKER"}.get(case.who, case.who) for name, case in MUTATIONS.items()}


def expected(who: str, case: Case) -> str | None:
    """The code of the refusal, or None where it is allowed."""
    may, refusal = MAY[who]
    return case.answer if case.who in may else case.instead.get(who, refusal)


# Who changes nothing that another of them is judged by asks the same application.
TOGETHER = {
    "outsiders": ("anonymous", "foreign", "vic", "read key", "worker key"),
    **{who: (who,) for who in ("max", "ann", "write key", "board key")},
}
LOOK = "query($id: ID!) { workspace(id: $id) { version auditLog(first: 1) { totalCount } } }"


def test_everybody_is_asked():
    assert sorted(who for some in TOGETHER.values() for who in some) == sorted(MAY)


@pytest.mark.parametrize("together", TOGETHER)
async def test_the_matrix(two, together):
    """What is refused comes first, and changed nothing."""
    async with two() as (app, home, away):
        wrong = []
        for who in TOGETHER[together]:
            actor = NOBODY if who == "anonymous" else home.actor(who)
            if who == "foreign":
                actor = away.actor("ann")

            async def seen():
                return await app.data(LOOK, home.actor("ann"), id=home.ids["workspace"])

            async def judge(cases, who=who, actor=actor):
                for name, case in cases:
                    answer = await home.mutate(name, home.fill(case.input), actor)
                    wanted = expected(who, case)
                    refused = answer.get("code")
                    if refused != wanted:
                        wrong.append(f"{name} by {who}: {refused}, not {wanted}")

            before = await seen()
            await judge((name, case) for name, case in MUTATIONS.items() if case.who not in MAY[who][0])
            assert await seen() == before, f"something that was refused to {who} has changed something"
            await judge((name, case) for name, case in MUTATIONS.items() if case.who in MAY[who][0])
        assert wrong == []
