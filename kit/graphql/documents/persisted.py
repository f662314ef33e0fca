"""Persisted documents: a client sends the id of a document in place of its text.

- `documentId` names a trusted document, which the operator gave the server: the GraphQL over HTTP draft's persisted
  documents. `sha256:` and the hash of its text in hex always name it; a manifest may give other ids.
- `extensions.persistedQuery` registers and names any document by its hash: automatic persisted queries (APQ), as
  Apollo Client and urql send them. Registered documents are bounded and forgotten at a restart.
- With `only`, nothing but trusted documents is executed.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kit.graphql.errors import Code, PublicError
from kit.graphql.json import decode

MAX_REGISTERED = 512  # documents
MAX_REGISTERED_CHARACTERS = 512_000  # of all registered documents together
MAX_REGISTERED_LENGTH = 20_000  # characters of one
DOCUMENT_ID = re.compile(r"[!-~]{1,200}")
SHA256 = re.compile(r"[0-9a-f]{64}")


class BadManifest(Exception):
    """A file of trusted documents cannot be read."""


class PersistedDocuments:
    """The documents that clients may name.

    trusted: the texts of trusted documents by id, besides those of their hashes.
    only:    nothing else is executed.
    """

    def __init__(self, trusted: Mapping[str, str] = {}, *, only: bool = False) -> None:
        self.only = only
        self._trusted = {f"sha256:{hash_of(text)}": text for text in trusted.values()} | dict(trusted)
        self._texts = set(trusted.values())
        self._registered: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    def find(self, request: Mapping[str, Any]) -> str | None:
        """Return the text of the document that a request executes; None if it names none.

        `request` has the parameters of a GraphQL request. Raises PublicError.
        """
        query, document_id = request.get("query"), request.get("documentId")
        extensions = request.get("extensions")
        apq = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
        if document_id is not None:
            if query is not None:
                raise PublicError("A request has either `query` or `documentId`")
            return self._find_trusted(document_id)
        if apq is not None:
            query = self._find_registered(apq, query)
        if self.only and query is not None and query not in self._texts:
            raise PublicError(
                "This server executes trusted documents only", code=Code.DOCUMENT_UNKNOWN, status=403
            )
        return query

    def _find_trusted(self, id: object) -> str:
        if not isinstance(id, str) or not DOCUMENT_ID.fullmatch(id):
            raise PublicError("`documentId` must be 1 to 200 printable characters")
        text = self._trusted.get(id)
        if text is None:
            raise PublicError("The document is unknown", code=Code.DOCUMENT_UNKNOWN, status=404)
        return text

    def _find_registered(self, apq: object, query: object) -> str:
        digest = apq.get("sha256Hash") if isinstance(apq, dict) else None
        if not isinstance(apq, dict) or apq.get("version") != 1 or not isinstance(digest, str):
            raise PublicError("`extensions.persistedQuery` must have version 1 and sha256Hash")
        if not SHA256.fullmatch(digest):
            raise PublicError("sha256Hash must be 64 lower-case hexadecimal digits")
        if query is None:
            text = self._trusted.get(f"sha256:{digest}") or self._registered.get(digest)
            if text is None:  # the text that clients of APQ compare
                raise PublicError("PersistedQueryNotFound", code=Code.PERSISTED_QUERY_UNKNOWN, status=200)
            if digest in self._registered:
                self._registered.move_to_end(digest)
            return text
        if not isinstance(query, str) or hash_of(query) != digest:
            raise PublicError("sha256Hash is not the hash of the query")
        self._register(digest, query)
        return query

    def _register(self, digest: str, text: str) -> None:
        if digest in self._registered or self.only or len(text) > MAX_REGISTERED_LENGTH:
            return
        self._registered[digest] = text
        self._characters += len(text)
        while len(self._registered) > MAX_REGISTERED or self._characters > MAX_REGISTERED_CHARACTERS:
            _, gone = self._registered.popitem(last=False)
            self._characters -= len(gone)


def names_document(request: Mapping[str, Any]) -> bool:
    """Whether a request without a query names a document instead."""
    if request.get("query") is not None:
        return False
    extensions = request.get("extensions")
    is_apq = isinstance(extensions, dict) and extensions.get("persistedQuery") is not None
    return request.get("documentId") is not None or is_apq


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_manifests(folder: Path) -> dict[str, str]:
    """Return the documents of a folder by id: `*.graphql` files, and JSON manifests.

    A manifest is an object of ids and texts (Relay's form), or Apollo's persisted query manifest.

    Raises BadManifest.
    """
    found: dict[str, str] = {}
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".graphql", ".json"))
        for path in paths:
            text = path.read_text("utf-8")
            entries = (
                [(f"sha256:{hash_of(text)}", text)] if path.suffix == ".graphql" else _entries(path, text)
            )
            for id, document in entries:
                if found.setdefault(id, document) != document:
                    raise BadManifest(f"{path}: {id[:100]} already names another document")
    except OSError as error:
        raise BadManifest(f"{folder}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadManifest(f"{path}: is not UTF-8") from None
    return found


def _entries(path: Path, text: str) -> Iterable[tuple[str, str]]:
    try:
        manifest = decode(text)
    except ValueError:
        raise BadManifest(f"{path}: is not JSON") from None
    if isinstance(manifest, dict) and manifest.get("format") == "apollo-persisted-query-manifest":
        operations = manifest.get("operations")
        if not isinstance(operations, list) or not all(isinstance(each, dict) for each in operations):
            raise BadManifest(f"{path}: `operations` must be a list of objects")
        entries = [(each.get("id"), each.get("body")) for each in operations]
    elif isinstance(manifest, dict):
        entries = list(manifest.items())
    else:
        raise BadManifest(f"{path}: must be an object of ids and documents")
    for id, document in entries:
        if not isinstance(id, str) or not DOCUMENT_ID.fullmatch(id) or not isinstance(document, str):
            raise BadManifest(
                f"{path}: {str(id)[:100]!r} must be an id of 1 to 200 characters with a document"
            )
    return entries
