"""Bad input, told to the whole application on both databases: never a 5xx, never INTERNAL, never a torn socket.

tests/graphql/test_bad_input.py tells the same, and more, to a small server.
"""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import get_named_type, get_nullable_type, is_input_object_type, print_ast, value_to_literal

from tests.graphql import corpus
from tests.graphql.requests import socket
from tests.graphql.test_bad_input import PIECES, check
from tests.tenants import MUTATIONS, QUERIES, SCHEMA, outcome

HERE = {"host": "127.0.0.1"}
JSON = {"content-type": corpus.JSON, **HERE}

# The words of the small server, and what says as much here.
WORDS = [
    (rb"\bhello\b", b"__typename"),
    (rb"echo\(text:\s*([^)]*)\)", rb"board(id: \1) { name seq }"),
    (rb"number\(n:\s*([^)]*)\)", rb"cards(first: \1) { nodes { id } }"),
    (rb"json\(value:\s*([^)]*)\)", rb"cards(filter: \1) { nodes { id } }"),
    (rb"\bJSON!", b"CardFilter!"),
    (rb"\bcount\b(\([^)]*\))?", b"userFeed { seq }"),
    (rb"\btouch\b", b"logoutEverywhere(input: {}) { __typename }"),
]


def in_our_words(said: Any) -> Any:
    if isinstance(said, str):
        return in_our_words(said.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
    for theirs, ours in WORDS:
        said = re.sub(theirs, ours, said)
    return said


BOARD = '{ board(id: "%s") { name seq } }'
IDS = {
    "nul": "\\u0000",
    "nul in braces": "board_\\u{0}x",
    "emoji": "\\ud83d\\ude00",
    "the last letters": "\\uffff\\ufffe",
    "empty": "",
    "a quote": "';--",
    "a backslash": "\\\\",
    "a pattern": "%_",
    "15 kB": "x" * 15_000,
}
NUL = {
    "an id": BOARD % IDS["nul"],
    "a text": '{ cards(filter: {text: "a\\u0000b"}) { nodes { id } } }',
    "in a list": '{ nodes(ids: ["a", "\\u0000"]) { id } }',
    "a default": 'query($id: ID! = "\\u0000") { board(id: $id) { name } }',
    "a directive's": '{ board(id: "1") { name @include(if: "\\u0000") } }',
    "in a block": '{ board(id: """a\\u0000""") { name } }',  # where it is six letters
}
ISSUES = "{ __typename ... on Refusal { code message } ... on Invalid { issues { path message } } }"
ODD = ["", "x", "\N{GRINNING FACE}", "\uffff", "%_\\'\"", "x" * 10_000, "9" * 40]
SEEDS = [
    b'{"query":"query A($n:Int!){cards(first:$n){nodes{id}}}","variables":{"n":1},"operationName":"A"}',
    b'{"query":"{board(id:\\"1\\"){id seq columns{id} cards(first:5){nodes{id title}}}}"}',
    b'{"query":"query($i:ID!){board(id:$i){name seq}}","variables":{"i":"board_1"}}',
    b'{"query":"mutation{createBoard(input:{workspaceId:\\"x\\",name:\\"y\\"}){__typename}}"}',
    b'{"query":"{...A} fragment A on Query{viewer{name} @skip(if:false)}","variables":{}}',
]


class Told:
    """Sends one request after the other, and keeps what was answered wrongly."""

    def __init__(self, app: Any, headers: Any = None) -> None:
        self._app, self._headers = app.app, {**HERE, **(headers or {})}
        self.count, self.wrong = 0, list[str]()

    async def __call__(self, name: str, method: str, body: Any, headers: Any, query: str = "") -> None:
        self.count += 1
        try:
            await check(self._app, method, body, {**self._headers, **headers}, query)
        except AssertionError as error:
            self.wrong.append(f"{name}: {error}"[:500])

    async def ask(self, name: str, query: str, **variables: Any) -> None:
        body = corpus.as_json({"query": query, "variables": variables})
        await self(name, "POST", body, JSON)


async def test_the_corpora(run):
    async with run(points=10**9) as app:
        told = Told(app)
        for name, method, body, headers, query in corpus.http_cases():
            await told(name, method, in_our_words(body), headers, in_our_words(query))
        for name, text in corpus.attacks().items():
            await told.ask(name, in_our_words(text))
        for name, id in IDS.items():
            for turn in range(3):  # from the second on the text is known, and the board's proof is read first
                await told.ask(f"{name}, {turn}", BOARD % id)
    assert told.wrong == []
    assert told.count > 300


async def test_mutated_requests(run):
    rng = random.Random(7)
    async with run(points=10**9) as app:
        told = Told(app)
        for _ in range(300):
            data = bytearray(rng.choice(SEEDS))
            for _ in range(rng.randint(0, 3)):
                at = rng.randrange(len(data) + 1)
                data[at : at + rng.randrange(4)] = rng.choice(PIECES)
            await told(repr(data), "POST", bytes(data), JSON)
    assert told.wrong == []


@pytest.mark.slow("every field of every input")
async def test_odd_ids_and_texts(two):
    """Every mutation and every query there is, with odd words for ids, and for texts beside true ids."""

    def odd(value: Any, word: str, instead_of: str) -> Any:
        if isinstance(value, dict):
            return {key: odd(one, word, instead_of) for key, one in value.items()}
        if isinstance(value, list):
            return [odd(one, word, instead_of) for one in value]
        return word if isinstance(value, str) and value[:1] == instead_of else value

    async with two() as (app, home, _):
        told = Told(app, {"authorization": app.tokens[home.actor("ann")]})
        for name, arguments in QUERIES.items():
            for word in ODD if arguments else ():
                given = odd(arguments, word, "$").items()
                said = ", ".join(f"{key}: {json.dumps(value)}" for key, value in given)
                await told.ask(f"{name} {word[:9]}", f"{{ {name}({said}) {{ __typename }} }}")
        for n, (name, case) in enumerate(MUTATIONS.items()):
            kind = SCHEMA.mutation_type.fields[name].args["input"].type
            query = f"mutation($input: {kind}) {{ {name}(input: $input) {outcome(name)} }}"
            word = ODD[n % len(ODD)]
            for instead_of in "$%":
                given = home.fill(odd(case.input, word, instead_of))
                await told.ask(f"{name} {word[:9]} for {instead_of}", query, input=given)
    assert told.wrong == []
    assert told.count > 200


# What cannot be cleared, though it may be left out. Whatever else may be left out may be null as well.
NEVER_NULL = {
    "updateAgentProfile": "name executor role permission enabled",
    "updateAnswerRule": "name pattern questionTypes runKinds cardTypes stages labelIds enabled",
    "updateBoard": "name description key law",
    "updateCard": "title type priority",
    "updateColumn": "name stage",
    "updateLabel": "name colour",
    "updateMe": "username",
    "updatePreferences": "timeZone mutedNotifications mailedNotifications digest",
    "updateConnection": "name secret",
    "updateWebhookEndpoint": "name url isEnabled",
    "updatePullRequest": "title body baseBranch",
    "updateCardSchedule": "title cron timeZone stage startsRun isEnabled",
    "updateBoardAutomation": "anyMerged staleDays",
    "updateSprint": "name startsOn endsOn capacityPoints timeZone",
    "updateGroup": "title colour",
    "createDocument": "kind",
    "updateDocument": "title kind",
    "updateKnowledge": "kind text state",
    "updateMemory": "text state",
    "updatePlannedFile": "path kind action status",
    "updateSubtask": "title completed",
    "updateWorkspace": "name",
}


def with_nulls(kind: Any, value: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """A value of an input type, with one after the other of what may be left out set to null."""
    for name, field in kind.fields.items() if not kind.is_one_of else ():
        inner, at = get_nullable_type(field.type), f"{path}{name}"
        if inner is field.type:
            yield at, {**value, name: None}
        given = value.get(name)
        if isinstance(given, dict) and is_input_object_type(inner):
            yield from ((where, {**value, name: one}) for where, one in with_nulls(inner, given, f"{at}."))
        if isinstance(given, list) and given and is_input_object_type(get_named_type(inner)):
            for where, one in with_nulls(get_named_type(inner), given[0], f"{at}.0."):
                yield where, {**value, name: [one]}


@pytest.mark.slow("every field of every input")
async def test_null_in_every_field_that_may_be_left_out(two):
    """Of every mutation there is, in a variable and written out: taken, or refused by its name."""
    wrong, count = [], 0
    async with two() as (app, home, _):
        for mutation, case in sorted(
            MUTATIONS.items(), key=lambda one: one[0] == "logout"
        ):  # whose own it ends
            kind = SCHEMA.mutation_type.fields[mutation].args["input"].type
            given = list(with_nulls(kind.of_type, home.fill(case.input)))
            count += len(given)
            for start in range(0, len(given), 12):
                part = given[start : start + 12]
                asked = [f"v{n}: {mutation}(input: $v{n}) {ISSUES}" for n in range(len(part))]
                asked += [
                    f"w{n}: {mutation}(input: {print_ast(value_to_literal(input, kind))}) {ISSUES}"
                    for n, (_, input) in enumerate(part)
                ]
                query = f"mutation({', '.join(f'$v{n}: {kind}' for n in range(len(part)))}) {{ {' '.join(asked)} }}"
                variables = {f"v{n}": input for n, (_, input) in enumerate(part)}
                answer = await app.ask(query, home.actor("ann"), **variables)
                wrong += [(mutation, error["message"]) for error in answer.get("errors", ())]
                for alias, told in (answer["data"] or {}).items():
                    path, _ = part[int(alias[1:])]
                    never = path in NEVER_NULL.get(mutation, "").split()
                    issues = [{"path": path, "message": "cannot be cleared"}]
                    if told is None or (told.get("issues") == issues) is not never:
                        wrong.append((mutation, path, told))
    assert wrong == []
    assert count > 165


@pytest.mark.parametrize("where", NUL)
async def test_a_letter_that_no_database_keeps_is_refused(run, where):
    async with run() as app:
        for _ in range(3):
            answer = (await app.post(NUL[where])).json()
            if where == "in a block":
                assert answer == {"data": {"board": None}}
            else:
                [error] = answer["errors"]
                assert (error["extensions"]["code"], error["message"]) == (
                    "BAD_USER_INPUT",
                    "U+0000 is not accepted",
                )


MOMENTS = {  # every input there is with a moment in it
    "AuditFilter.from": "{ workspaces { nodes { auditLog(filter: {from: $at}) { totalCount } } } }",
    "AuditFilter.to": "{ workspaces { nodes { auditLog(filter: {to: $at}) { totalCount } } } }",
    "CreateApiKeyInput.expiresAt": """mutation { createApiKey(
      input: {workspaceId: $home, name: "Key", scopes: [READ], expiresAt: $at}) { __typename } }""",
    "StartBatchInput.startAt": """mutation { startBatch(
      input: {cardIds: [$card], startAt: $at}) { __typename } }""",
    "StartRunInput.startAt": "mutation { startRun(input: {cardId: $card, startAt: $at}) { __typename } }",
}
NO_ROOM = ["9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.9-00:01", "0001-01-01T00:00:00+14:00"]
ROOM = ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00"]


async def test_a_moment_that_utc_has_no_room_for_is_refused(run):
    found = {
        f"{name}.{field}"
        for name, kind in SCHEMA.type_map.items()
        if is_input_object_type(kind)
        for field, given in kind.fields.items()
        if get_named_type(given.type).name == "DateTime"
    }
    assert found == set(MOMENTS)
    async with run() as app:
        _, [card] = await app.has_board("Do it")
        home = await app.home()
        for at in NO_ROOM + ROOM:
            for field, text in MOMENTS.items():
                text = text.replace("$home", f'"{home}"').replace("$card", f'"{card}"')
                kind = "query" if text.startswith("{") else "mutation"
                given = f"{kind}($at: DateTime!) {text.removeprefix('mutation')}"
                for answer in (await app.ask(given, at=at), await app.ask(text.replace("$at", f'"{at}"'))):
                    codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
                    wanted = [[]] if at in ROOM else [["BAD_USER_INPUT"], ["GRAPHQL_VALIDATION_FAILED"]]
                    assert codes in wanted, (field, at, answer)


OTHERWISE = {"a bug in who authenticates"}  # which only the small server has


async def test_dialogues(run):
    async with run(points=10**9) as app:
        wrong = []
        for name, messages, code in corpus.dialogues():
            if name in OTHERWISE:
                continue
            async with socket(app.app, HERE) as peer:
                for message in messages:
                    if isinstance(message, bytes):
                        peer.send_bytes(message)
                    elif isinstance(message, dict):
                        peer.send(in_our_words(json.dumps(message)))
                    else:
                        peer.send(message)
                if code is not None:
                    ended = (await peer.end())[0]
                    wrong += [(name, ended)] * (ended != code)
                    continue
                peer.send({"type": "ping", "payload": {"still": "here"}})
                while (heard := await peer.hear()) is not None and heard.get("payload") != {"still": "here"}:
                    pass
                wrong += [(name, peer.closed)] * (heard is None)
        assert wrong == []
