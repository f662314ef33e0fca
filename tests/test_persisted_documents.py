"""Documents by id: trusted ones, a server that executes nothing else, and automatic persisted queries."""

import json

import pytest

import server
from kit.graphql.documents.persisted import MAX_REGISTERED, hash_of
from kit.settings import WrongSetting, load
from tests.client import AsgiSocket
from tests.test_start import begin

ME = "query Me { viewer { kind } }\n"
HI = "{ __typename }"


async def post(app, **body):
    headers = {"authorization": app.tokens[""]} if "" in app.tokens else {}
    answer = await app.client.post("/graphql", json=body, headers=headers)
    return answer.status_code, answer.json()


def code_of(answer):
    return answer["errors"][0]["extensions"]["code"]


def apq(text):
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "me.graphql").write_text(ME)
    (tmp_path / "relay.json").write_text(json.dumps({"abc123": HI}))
    apollo = {"format": "apollo-persisted-query-manifest", "version": 1}
    operations = [{"id": "apollo-1", "name": "Hi", "type": "query", "body": "query Hi { __typename }"}]
    (tmp_path / "apollo.json").write_text(json.dumps({**apollo, "operations": operations}))
    return str(tmp_path)


async def test_a_trusted_document_is_executed_by_its_id(run, folder):
    async with run(trusted_documents=folder) as app:
        for id in (f"sha256:{hash_of(ME)}", "abc123", f"sha256:{hash_of(HI)}", "apollo-1"):
            status, answer = await post(app, documentId=id)
            assert (status, "errors" in answer) == (200, False), answer
        by_get = await app.client.get("/graphql", params={"documentId": "abc123"})
        assert by_get.json() == {"data": {"__typename": "Query"}}
        assert (await post(app, query=HI))[1] == {"data": {"__typename": "Query"}}


async def test_bad_ids_are_refused(run, folder):
    async with run(trusted_documents=folder) as app:
        status, answer = await post(app, documentId="unknown")
        assert (status, code_of(answer)) == (404, "PERSISTED_DOCUMENT_UNKNOWN")
        for bad in ("", "x" * 201, "a b", 7, ["abc123"], "ü"):
            status, answer = await post(app, documentId=bad)
            assert (status, code_of(answer)) == (400, "BAD_REQUEST"), bad
        status, answer = await post(app, documentId="abc123", query=HI)
        assert (status, code_of(answer)) == (400, "BAD_REQUEST")


async def test_a_server_may_execute_trusted_documents_only(run, folder):
    async with run(trusted_documents=folder, trusted_documents_only=True) as app:
        assert (await post(app, query=ME))[0] == 200  # the text itself is trusted
        for query in (HI + " ", "query Me { viewer { kind } }", "{"):
            status, answer = await post(app, query=query)
            assert (status, code_of(answer)) == (403, "PERSISTED_DOCUMENT_UNKNOWN"), query
        status, answer = await post(app, query=HI + " ", extensions=apq(HI + " "))
        assert (status, code_of(answer)) == (403, "PERSISTED_DOCUMENT_UNKNOWN")
        status, answer = await post(app, extensions=apq(HI + " "))
        assert code_of(answer) == "PERSISTED_QUERY_NOT_FOUND"


async def test_documents_by_id_on_a_socket(run, folder):
    async with (
        run(trusted_documents=folder, trusted_documents_only=True) as app,
        AsgiSocket(app.app) as socket,
    ):
        await socket.init(app.tokens[""])

        async def ask(**payload):
            socket.send({"type": "subscribe", "id": "1", "payload": payload})
            answer = await socket.receive()
            if answer["type"] == "next":
                assert (await socket.receive())["type"] == "complete"
            return answer

        assert (await ask(documentId="abc123"))["payload"] == {"data": {"__typename": "Query"}}
        refused = await ask(query="{ viewer { kind } }")
        assert refused["payload"][0]["extensions"]["code"] == "PERSISTED_DOCUMENT_UNKNOWN"
        assert (await ask(documentId=""))["payload"][0]["extensions"]["code"] == "BAD_REQUEST"
        assert (await ask(documentId="abc123"))["type"] == "next"  # the socket goes on


async def test_automatic_persisted_queries_are_registered_by_their_hash(run):
    async with run() as app:
        status, answer = await post(app, extensions=apq(ME))
        assert (status, answer["errors"][0]["message"]) == (200, "PersistedQueryNotFound")
        assert (await post(app, query=ME, extensions=apq(ME)))[1]["data"]["viewer"]["kind"] == "USER"
        assert (await post(app, extensions=apq(ME)))[1]["data"]["viewer"]["kind"] == "USER"


async def test_a_hash_registers_its_own_text_only(run):
    async with run() as app:
        status, answer = await post(app, query=HI, extensions=apq(ME))
        assert (status, code_of(answer)) == (400, "BAD_REQUEST")
        assert code_of((await post(app, extensions=apq(ME)))[1]) == "PERSISTED_QUERY_NOT_FOUND"
        for bad in (1, {}, {"version": 2, "sha256Hash": hash_of(ME)}, {"version": 1, "sha256Hash": "A" * 64}):
            status, answer = await post(app, query=ME, extensions={"persistedQuery": bad})
            assert (status, code_of(answer)) == (400, "BAD_REQUEST"), bad


async def test_registered_queries_are_bounded(run):
    async with run() as app:
        for n in range(MAX_REGISTERED + 1):
            text = f"{{ a{n}: __typename }}"
            assert (await post(app, query=text, extensions=apq(text)))[0] == 200
        assert (
            code_of((await post(app, extensions=apq("{ a0: __typename }")))[1]) == "PERSISTED_QUERY_NOT_FOUND"
        )
        assert (await post(app, extensions=apq("{ a1: __typename }")))[1] == {"data": {"a1": "Query"}}


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("bad.json", "{", "is not JSON"),
        ("bad.json", "[]", "must be an object of ids and documents"),
        ("bad.json", '{"a b": "{ x }"}', "'a b' must be an id of 1 to 200 characters with a document"),
        ("bad.json", '{"a": 1}', "'a' must be an id"),
        (
            "bad.json",
            '{"format": "apollo-persisted-query-manifest", "operations": 1}',
            "must be a list of objects",
        ),
        ("bad.graphql", b"\xff", "is not UTF-8"),
    ],
)
def test_a_bad_manifest_is_named(tmp_path, name, text, line):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(WrongSetting, match="TRUSTED_DOCUMENTS: ") as failure:
        server.trusted_documents(load(trusted_documents=str(tmp_path), _env_file=None))
    assert line in str(failure.value)


async def test_a_missing_folder_ends_the_start_with_one_line(tmp_path, fresh):
    given = {"DATABASE_URL": await fresh(), "TRUSTED_DOCUMENTS": "/nowhere", "LOG_LEVEL": "ERROR"}
    status, _, err = await begin(tmp_path, "serve", **given)
    assert (status, err) == (2, "signalbox: TRUSTED_DOCUMENTS: /nowhere: No such file or directory\n")
