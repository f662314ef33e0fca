"""Requests that no client should send, and documents that no server should run.

Each is only malformed, hostile or unusual; the promise about all is one: an answer in GraphQL's
shape below 500, in less than a second.
"""

import json
from typing import Any

JSON = "application/json"
ANY = "*/*"
GRAPHQL = "application/graphql-response+json"
DEEP = 100_000

Case = tuple[str, str, Any, dict[str, str], str]  # name, method, body, headers, query string


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def bodies() -> dict[str, bytes]:
    """Bodies sent as application/json."""
    found: dict[str, bytes] = {
        "empty": b"",
        "space": b"   \n",
        "null": b"null",
        "number": b"123",
        "text": b'"str"',
        "true": b"true",
        "false": b"false",
        "empty list": b"[]",
        "list of one": b"[1]",
        "batch": as_json([{"query": "{hello}"}]),
        "batch of 1000": as_json([{"query": "{hello}"}] * 1000),
        "empty object": b"{}",
        "open object": b'{"query"',
        "open string": b'{"query": "{hello}',
        "trailing comma": b'{"query": "{hello}",}',
        "trailing text": b'{"query": "{hello}"} x',
        "two objects": b'{"query": "{hello}"}{"query": "{hello}"}',
        "single quotes": b"{'query': '{hello}'}",
        "comment": b'/* */ {"query": "{hello}"}',
        "byte ff": b"\xff",
        "bytes ff fe": b"\xff\xfe{\x00}\x00",
        "invalid utf-8 inside": b'{"query": "{ echo(text: \\"\xc3\x28\\") }"}',
        "overlong utf-8": b'{"query": "\xc0\xaf"}',
        "utf-8 surrogate": b'{"query": "\xed\xa0\x80"}',
        "byte order mark": b'\xef\xbb\xbf{"query": "{hello}"}',
        "utf-16": '{"query": "{hello}"}'.encode("utf-16"),
        "utf-32": '{"query": "{hello}"}'.encode("utf-32"),
        "latin-1": '{"query": "{ echo(text: \\"é\\") }"}'.encode("latin-1"),
        "raw control": b'{"query": "{hello\x01}"}',
        "raw nul": b'{"query": "{hello}\x00"}',
        "only nul": b"\x00",
        "NaN": b'{"query": "{hello}", "variables": {"n": NaN}}',
        "Infinity": b'{"query": "{hello}", "variables": {"n": Infinity}}',
        "-Infinity": b'{"query": "{hello}", "variables": {"n": -Infinity}}',
        "1e400": b'{"query": "{hello}", "variables": {"n": 1e400}}',
        "hex": b'{"query": "{hello}", "variables": {"n": 0x10}}',
        "leading zero": b'{"query": "{hello}", "variables": {"n": 010}}',
        "plus": b'{"query": "{hello}", "variables": {"n": +1}}',
        "100000 [": b"[" * DEEP,
        "100000 {": b'{"a":' * DEEP,
        "100000 closed [": b"[" * DEEP + b"]" * DEEP,
        "100000 closed {": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        "33 levels of variables": b'{"query":"{hello}","variables":{"v":' + b"[" * 33 + b"]" * 33 + b"}}",
        "escaped nul in a variable": b'{"query":"{hello}","variables":{"v":"\\u0000"}}',
        "escaped nul in a key": b'{"query":"{hello}","variables":{"\\u0000":1}}',
        "escaped nul in the query": b'{"query":"{echo(text:\\"\\u0000\\")}"}',
        "high surrogate": b'{"query":"{hello}","variables":{"v":"\\ud800"}}',
        "low surrogate": b'{"query":"{hello}","variables":{"v":"\\udc00"}}',
        "surrogates swapped": b'{"query":"{hello}","variables":{"v":"\\udc00\\ud800"}}',
        "duplicate keys": b'{"query":"{hello}","query":1}',
        "long key": as_json({"k" * 500_000: 1}),
        "many keys": as_json({f"k{n}": n for n in range(20_000)}),
        "5000 digits for Int": b'{"query":"query($n:Int!){number(n:$n)}","variables":{"n":'
        + b"9" * 5000
        + b"}}",
        "5000 digits for Float": b'{"query":"query($n:Float!){real(x:$n)}","variables":{"n":'
        + b"9" * 5000
        + b"}}",
        "40 digits for JSON": b'{"query":"query($n:JSON!){json(value:$n)}","variables":{"n":'
        + b"9" * 40
        + b"}}",
        "1 MB of text": as_json({"query": "{hello}", "variables": {"v": "x" * 1_000_000}}),
        "1 MB and 1": b" " * ((1 << 20) + 1),
        "200000 numbers": as_json({"query": "{hello}", "variables": {"v": [1] * 200_000}}),
    }
    values: list[Any] = [1, 1.5, True, False, [], ["{hello}"], {}, {"a": 1}, "", "x", None]
    for key in ("query", "variables", "operationName", "extensions"):
        for value in values:
            request = {"query": "{hello}", key: value}
            found[f"{key} is {json.dumps(value)}"] = as_json(request)
    inputs: list[tuple[str, Any]] = [
        ("Int", "x"), ("Int", 1.5), ("Int", 2**31), ("Int", -(2**31) - 1), ("Int", 2**63),
        ("Int", 2**64), ("Int", True), ("Int", []), ("Int", [1]), ("Int", {}), ("Int", None),
        ("Float", "x"), ("Float", 10**30), ("Float", True), ("Float", None),
        ("String", 1), ("String", True), ("String", []), ("String", {}), ("String", None),
        ("ID", 1.5), ("ID", True), ("ID", []), ("ID", None), ("Words", "x"), ("Words", []),
        ("Words", {}), ("Words", {"text": 1}), ("Words", {"text": "a", "extra": 1}),
        ("Words", {"text": "a", "more": None}), ("Words", {"text": "a", "more": [1]}),
        ("Words", {"text": "a", "more": "x"}), ("Words", {"text": "a", "more": ["x"] * 300}),
        ("Words", {"text": "x" * 70_000}), ("Nope", 1), ("Query", {}), ("[Int", [1]),
    ]  # fmt: skip
    fields = {"Int": "number(n:$v)", "Float": "real(x:$v)", "String": "echo(text:$v)"}
    fields |= {"ID": "board(id:$v){id}", "Words": "words(input:$v)"}
    for number, (kind, value) in enumerate(inputs):
        field = fields.get(kind, "json(value:$v)")
        query = f"query($v: {kind}!) {{ {field} }}"
        text = as_json({"query": query, "variables": {"v": value}})
        found[f"{kind} given {str(value)[:20]} ({number})"] = text
    return found


def documents() -> dict[str, str]:
    """Documents that are wrong."""
    return {
        "unclosed": "{",
        "closed only": "}",
        "empty selection": "{}",
        "comment only": "# nothing",
        "commas": ",,,,",
        "unknown field": "{ nope }",
        "unknown argument": "{ hello(a: 1) }",
        "missing argument": "{ echo }",
        "selection on a leaf": "{ hello { a } }",
        "no selection on an object": '{ board(id: "1") }',
        "unknown fragment": "{ ...Nope }",
        "fragment only": "fragment A on Query { hello }",
        "cycle": "{ ...A } fragment A on Query { ...A }",
        "cycle of three": "{...A} fragment A on Query{...B} fragment B on Query{...C}"
        " fragment C on Query{...A}",
        "unused fragment": "{ hello } fragment A on Query { hello }",
        "fragment twice": "{...A} fragment A on Query{hello} fragment A on Query{hello}",
        "fragment on nothing": "{ ... on Nope { a } }",
        "two anonymous": "{ hello } { hello }",
        "two of a name": "query A { hello } query A { hello }",
        "unknown directive": "{ hello @nope }",
        "directive without argument": "{ hello @skip }",
        "undefined variable": "{ echo(text: $t) }",
        "unused variable": "query($t: Int) { hello }",
        "variable twice": "query($t: Int, $t: Int) { number(n: $t) }",
        "wrong literal": '{ number(n: "x") }',
        "huge literal": "{ number(n: 99999999999999999999) }",
        "5000 digit literal": "{ number(n: " + "9" * 5000 + ") }",
        "huge float": "{ real(x: 1e999) }",
        "bad escape": '{ echo(text: "\\q") }',
        "surrogate escape": '{ echo(text: "\\ud800") }',
        "big escape": '{ echo(text: "\\u{110000}") }',
        "conflict": '{ a: hello a: echo(text: "x") }',
        "type system": "type A { b: Int }",
        "type system and query": "{ hello } type A { b: Int }",
        "schema": "schema { query: Query }",
        "subscription": "subscription { count }",
        "two subscription fields": "subscription { count a: count }",
        "mutation of nothing": "mutation { nope }",
        "introspection mistake": "{ __type }",
        "emoji": "{ \N{GRINNING FACE} }",
        "block string": '{ echo(text: """a\n b""") }',
        "null byte": "{ hello \0 }",
        "null for a list": "{ nodes(ids: null) { id } }",
        "first 0": "{ cards(first: 0) { id } }",
        "first -1": "{ cards(first: -1) { id } }",
        "first 307727865": "{ cards(first: 307727865) { id } }",
        "first is text": '{ cards(first: "x") { id } }',
        "first is a big number": "{ cards(first: " + "9" * 400 + ") { id } }",
    }


def http_cases() -> list[Case]:
    kind = {"content-type": JSON}
    cases: list[Case] = [(f"body {n}", "POST", b, kind, "") for n, b in bodies().items()]
    for name, text in documents().items():
        body = as_json({"query": text})
        cases.append((f"document {name}", "POST", body, {**kind, "accept": GRAPHQL}, ""))
    good = as_json({"query": "{hello}"})
    for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"):
        cases.append((f"method {method}", method, good, kind, ""))
    for given in (
        "", "text/plain", "application/x-www-form-urlencoded", "application/graphql", "json", "/",
        ";", "application/json; charset=utf-16", "application/json; charset=", "application/jsonp",
        "application/json-patch+json", "multipart/form-data", "multipart/form-data; boundary=x",
        "application/json;;;", "application/json; charset*=utf-8''x", "\xff", "a" * 5000,
    ):  # fmt: skip
        cases.append((f"type {given[:40]}", "POST", good, {"content-type": given}, ""))
    for given in (
        "", ",", ";", "*/*;q=x", "*/*;q=-1", "*/*;q=1e400", "*/*;q=nan", "text/html;q=0",
        'multipart/mixed;subscriptionSpec="1.0', "multipart/mixed;subscriptionSpec*=utf-8''1.0",
        "multipart/mixed;boundary=x;subscriptionSpec=1.0", "a" * 5000, ", " * 5000, '"' * 1000,
        "text/event-stream;q=0.1, application/json", "\xff\xfe", "application/*",
    ):  # fmt: skip
        cases.append((f"accept {given[:30]}", "POST", good, {**kind, "accept": given}, ""))
    for query in (
        "", "query=", "query=%7B", "query={hello}&variables=", "query={hello}&variables=null",
        "query={hello}&variables=1", "query={hello}&variables=[]", "query={hello}&variables={",
        "query={hello}&variables=" + "[" * 20_000, "query={hello}&extensions=x",
        "query={hello}&extensions=[1]", "query={hello}&operationName=Nope", "query=%ff",
        "query=%00",
        "query=mutation{touch}", "query=subscription{count}", "query={hello}&query={", "%", "&&&=",
        "query={hello}&variables=%22%5Cud800%22", "query=" + "a" * 20_000, "query=%E0%80%80",
    ):  # fmt: skip
        cases.append((f"GET {query[:40]}", "GET", b"", {"accept": ANY}, query))
    for name, value in (
        ("content-length", "x"), ("content-length", "-1"), ("content-length", "9" * 30),
        ("content-length", "²"), ("x-request-id", "a" * 65), ("x-request-id", "a b"),
        ("x-request-id", ""), ("graphql-cost", "yes"), ("authorization", "bad"),
        ("authorization", "\xff"), ("origin", "null"), ("host", ""),
    ):  # fmt: skip
        cases.append((f"header {name}: {value[:20]}", "POST", good, {**kind, name: value}, ""))
    return cases


def attacks() -> dict[str, str]:
    """Documents made to be expensive, all within 2 MB."""
    found: dict[str, str] = {}
    for size in (18, 50, 60, 61, 300):
        parts = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(size)]
        found[f"doubling bomb of {size}"] = (
            "{ ...F0 } " + " ".join(parts) + f" fragment F{size} on Query {{ hello }}"
        )
    for size in (30, 60):
        parts = [f"fragment F{n} on Query {{ " + f"...F{n + 1} " * 8 + "}" for n in range(size)]
        found[f"eightfold bomb of {size}"] = (
            "{ ...F0 } " + " ".join(parts) + f" fragment F{size} on Query {{ hello }}"
        )
        found[f"doubling bomb of {size} that holds nothing"] = (
            "{ ...F0 } "
            + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(size - 1))
            + f" fragment F{size - 1} on Query {{ }}"
        )
    ring = "".join(f" fragment F{n} on Query {{ ...F{(n + 1) % 50} }}" for n in range(50))
    knot = "".join(
        f" fragment F{n} on Query {{ " + " ".join(f"...F{m}" for m in range(20)) + " }" for n in range(20)
    )
    deep = '{ board(id: "1") { cards { nodes ' + "{ board { cards { nodes " * 30 + "{ id }"
    found |= {
        "ring of fragments": "{ ...F0 }" + ring,
        "all fragments in all": "{ ...F0 }" + knot,
        "chain of 60": "{ ...F0 }"
        + "".join(f" fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(59))
        + " fragment F59 on Query { hello }",
        "20000 levels": "{a" * 20_000,
        "900 levels": "{a" * 900 + "}" * 900,
        "600 inline fragments": "{..." * 600 + "{hello}" + "}" * 600,
        "20000 inline fragments": "{..." * 20_000,
        "20000 lists": "{ json(value: " + "[" * 20_000,
        "900 lists": "{ json(value: " + "[" * 900 + "]" * 900 + ") }",
        "20000 objects": "{ json(value: " + "{a:" * 20_000,
        "20000 list types": "query($v: " + "[" * 20_000 + "Int) { hello }",
        "900 list types": "query($v: " + "[" * 900 + "Int" + "]" * 900 + ") { hello }",
        "deep boards": deep + "}" * 200,
        "101 aliases": "{" + "".join(f" a{n}: hello" for n in range(101)) + "}",
        "31 aliases": "{" + "".join(f" a{n}: hello" for n in range(31)) + "}",
        "401 fields": "{" + " hello" * 401 + "}",
        "overlapping fields": '{ board(id: "1") {'
        + " cards { nodes { board { id } } }" * 130
        + "}}",
        "overlaps in fragments": "{ ...A ...B }"
        + "".join(
            f" fragment {f} on Query {{ "
            + " ".join(f'{f.lower()}{n}: board(id: "1") {{ id }}' for n in range(150))
            + " }"
            for f in "AB"
        ),
        "overlaps not used": "{ hello } fragment A on Query {"
        + ' board(id: "1") { id }' * 300
        + "}",
        "21 directives": "{" + " hello @skip(if: false)" * 21 + "}",
        "6 directives in one place": "{ hello" + " @skip(if: false)" * 6 + "}",
        "1000 directives": "{ hello" + " @a" * 1000 + "}",
        "11 operations": " ".join(f"query Q{n} {{ hello }}" for n in range(11)),
        "3000 operations": " ".join(f"query Q{n} {{ hello }}" for n in range(3000)),
        "61 fragments": "{ hello } "
        + " ".join(f"fragment F{n} on Query {{ hello }}" for n in range(61)),
        "2001 tokens": "{" + " hello" * 2001 + "}",
        "2 MB of name": "{ " + "a" * 2_000_000 + " }",
        "2 MB of text": '{ echo(text: "' + "a" * 2_000_000 + '") }',
        "15 kB of text": '{ echo(text: "' + "a" * 15_000 + '") }',
        "15 kB of commas": "{ hello " + "," * 15_000 + " }",
        "15 kB of comments": "{ hello " + "#\n" * 7_500 + " }",
        "300 variables": "query(" + " ".join(f"$v{n}: Int" for n in range(300)) + ") { hello }",
        "251 items": "{ json(value: [" + " 1" * 251 + "]) }",
        "first 100 thrice": '{ nodes(ids: ["1"]) { cards(first: 500) { nodes { id subtasks { id }'
        " } } columns { cards(first: 500) { nodes { id } } } } a: cards(first: 100) { subtasks"
        " { id } board { cards(first: 500) { nodes { subtasks { id } } } } } }",
        "nested lists": "{ cards(first: 100) { board { cards(first: 500) { nodes { board { cards"
        "(first: 500) { nodes { id } } } } } } } }",
        "250 keys": "{ nodes(ids: [" + ' "1"' * 250 + "]) { id } }",
        "introspection, nested": "{ __schema { types { fields { type { fields { type { fields"
        " { type { fields { name } } } } } } } } } }",
        "introspection thirty times": "{"
        + "".join(f" a{n}: __schema {{ types {{ name }} }}" for n in range(30))
        + "}",
        "100 wrong fields": "{" + "".join(f" wrong{n}" for n in range(300)) + "}",
        "long wrong field": "{ " + "w" * 15_000 + " }",
    }  # fmt: skip
    return found


INIT = {"type": "connection_init"}
HELLO = {"type": "subscribe", "id": "1", "payload": {"query": "{hello}"}}
SILENT = "subscription { count(to: 2, every: 30) }"

# Name, what is sent, and the code the socket must be closed with; None means it stays open.
Dialogue = tuple[str, list[Any], int | None]


def dialogues() -> list[Dialogue]:
    found: list[Dialogue] = []
    shapes: list[Any] = [
        "null", "1", "[]", '"x"', "true", "{}", "", "{", "[1]", "nul", "[" * DEEP, '{"a":' * DEEP,
        "9" * 5000, '{"type": NaN}', '{"type": "connection_init", "payload": "\\ud800"}',
        '{"type": "connection_init", "payload": {"a": "\\u0000"}}',
        {"type": None}, {"type": 1}, {"type": []}, {"type": {}}, {"type": "nope"}, {"type": ""},
        {"type": "start", "id": "1"}, {"type": "connection_ack"}, {"type": "next", "id": "1"},
        {"type": "error", "id": "1"}, {"type": "connection_terminate"}, {"id": "1"},
        {"type": "connection_init", "payload": []}, {"type": "connection_init", "payload": "x"},
        {"type": "connection_init", "payload": 1}, {"type": "ping", "payload": []},
        {"type": "ping", "payload": "x"}, {"type": "pong", "payload": 1},
    ]  # fmt: skip
    found += [(f"first {str(m)[:40]}", [m], 4400) for m in shapes]
    requests: list[Any] = [
        None, [], "x", 1, {}, {"query": None}, {"query": 1}, {"query": []}, {"query": {}},
        {"variables": {}}, {"query": "{hello}", "variables": []}, {"query": "{hello}",
        "variables": "x"}, {"query": "{hello}", "operationName": 1}, {"query": "{hello}",
        "operationName": []}, {"query": "{hello}", "extensions": []}, {"query": "{hello}",
        "extensions": "x"},
    ]  # fmt: skip
    for payload in requests:
        message = {"type": "subscribe", "id": "1", "payload": payload}
        found.append((f"payload {json.dumps(payload)[:40]}", [INIT, message], 4400))
    for given in (None, 1, [], {}, "", "x" * 129, "x" * 100_000, True):
        message = {"type": "subscribe", "id": given, "payload": {"query": "{hello}"}}
        found.append((f"id {str(given)[:20]}", [INIT, message], 4400))
        found.append((f"complete {str(given)[:20]}", [INIT, {"type": "complete", "id": given}], 4400))
    two = [
        {"type": "subscribe", "id": "1", "payload": {"query": SILENT}},
        {"type": "subscribe", "id": "1", "payload": {"query": SILENT}},
    ]
    found += [
        ("subscribe before init", [HELLO], 4401),
        ("init twice", [INIT, INIT], 4429),
        ("an id twice", [INIT, *two], 4409),
        ("rejected", [{**INIT, "payload": {"authorization": "bad"}}], 4403),
        ("rejected at length", [{**INIT, "payload": {"authorization": "long"}}], 4403),
        ("a bug in who authenticates", [{**INIT, "payload": {"bug": True}}], 4500),
        ("bytes", [b"\x00\x01"], 4400),
        ("bytes of JSON", [json.dumps(INIT).encode()], 4400),
        ("init null", [{**INIT, "payload": None}], None),
        ("ping null", [{"type": "ping", "payload": None}], None),
        ("pong before init", [{"type": "pong"}], None),
        ("complete of nothing", [INIT, {"type": "complete", "id": "9"}], None),
        ("complete of nothing, before init", [{"type": "complete", "id": "9"}], None),
    ]
    operations: list[Any] = [
        {"query": "{"}, {"query": ""}, {"query": "{ nope }"}, {"query": "{ ...A }"},
        {"query": "{hello}", "operationName": "x" * 500}, 
        {"query": "query A {hello} query B {hello}"},
        {"query": "{hello}", "variables": None}, {"query": "subscription { nope }"},
        {"query": "subscription { failing }"}, {"query": "{ strictBug }"},
        {"query": "query($n: Int!) { number(n: $n) }"}, {"query": "{" + " hello" * 500 + "}"},
        {"query": "type A { b: Int }"}, {"query": "{" + "a" * 20_000 + "}"},
    ]  # fmt: skip
    for payload in operations:
        message = {"type": "subscribe", "id": "1", "payload": payload}
        found.append((f"operation {json.dumps(payload)[:40]}", [INIT, message], None))
    return found
