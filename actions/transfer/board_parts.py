"""The context, the answer rules and the documents of a board, in its file and out of it."""

import json
from typing import Any

from actions.transfer.board_file import (
    DOCUMENT_FIELDS,
    BoardFile,
    FileAnswerRule,
    FileContext,
    FileDocument,
    FileDocumentLink,
    FileReader,
    UnreadableFile,
)
from models.card import CardType
from models.context import CONTEXT_FIELDS
from models.document import DocumentKind, DocumentRole
from models.question import QuestionType
from models.run import RunKind
from models.stage import Stage


def parts_as_json(file: BoardFile) -> dict[str, Any]:
    """Return the parts as JSON, in a stable order."""
    context = file.context
    documents = [_document_as_json(one) for one in file.documents]
    return {
        "context": {
            "fields": {name: context.fields[name] for name in CONTEXT_FIELDS if name in context.fields},
            "personas": [{"name": name, "text": text} for name, text in context.personas],
            "variables": [
                {"name": name, "value": value} for name, value in sorted(context.variables.items())
            ],
        },
        "answerRules": [_rule_as_json(rule) for rule in file.answer_rules],
        "documents": sorted(documents, key=json.dumps),
    }


def _rule_as_json(rule: FileAnswerRule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "pattern": rule.pattern,
        "questionTypes": [one.name for one in rule.question_types],
        "runKinds": [one.name for one in rule.run_kinds],
        "cardTypes": [one.name for one in rule.card_types],
        "stages": [one.name for one in rule.stages],
        "labels": rule.labels,
        "answer": rule.answer,
        "enabled": rule.enabled,
    }


def _document_as_json(one: FileDocument) -> dict[str, Any]:
    links = [
        {
            "card": link.card,
            "group": None if link.group is None else link.group + 1,
            "role": link.role.name,
            "usageHint": link.usage_hint,
        }
        for link in one.links
    ]
    return {
        "title": one.title,
        "kind": one.kind.name,
        **{name: one.values.get(column) for name, column in DOCUMENT_FIELDS.items()},
        "tags": one.tags,
        "links": sorted(links, key=json.dumps),
    }


def read_parts(made: BoardFile, file: FileReader) -> None:
    """Read the parts into a board whose cards and groups were read. Raises UnreadableFile."""
    if file.value.get("context") is not None:
        context = FileReader(file.value["context"], "context")
        fields = FileReader(context.get("fields", dict, {}), "context.fields")
        made.context = FileContext(
            {name: fields.get(name, str) for name in CONTEXT_FIELDS if fields.value.get(name) is not None},
            [(one.get("name", str), one.get("text", str, "")) for one in context.objects("personas")],
            {one.get("name", str): one.get("value", str) for one in context.objects("variables")},
        )
    made.answer_rules = [_read_rule(one) for one in file.objects("answerRules")]
    numbers = {card.number for card in made.cards}
    made.documents = [_read_document(one, numbers, len(made.groups)) for one in file.objects("documents")]


def _read_rule(one: FileReader) -> FileAnswerRule:
    return FileAnswerRule(
        name=one.get("name", str),
        pattern=one.get("pattern", str, ""),
        question_types=one.some_of("questionTypes", QuestionType),
        run_kinds=one.some_of("runKinds", RunKind),
        card_types=one.some_of("cardTypes", CardType),
        stages=one.some_of("stages", Stage),
        labels=one.strings("labels"),
        answer=None if one.value.get("answer") is None else one.strings("answer"),
        enabled=one.get("enabled", bool, True),
    )


def _read_document(one: FileReader, numbers: set[int | None], groups: int) -> FileDocument:
    links = []
    for link in one.objects("links"):
        card, group = link.maybe("card", int), link.maybe("group", int)
        if card is not None and card not in numbers:
            raise UnreadableFile(f"{link.path('card')} names card {card}, which is not in the file")
        if group is not None and not 1 <= group <= groups:
            raise link.wrong("group", f"must be 1 to {groups}")
        role = link.one_of("role", DocumentRole, DocumentRole.REFERENCE)
        hint = link.get("usageHint", str, "")
        links.append(FileDocumentLink(card, None if group is None else group - 1, role, hint))
    return FileDocument(
        title=one.get("title", str),
        kind=one.one_of("kind", DocumentKind, DocumentKind.DOC),
        values={column: one.maybe(name, str) for name, column in DOCUMENT_FIELDS.items()},
        tags=one.strings("tags"),
        links=links,
    )
