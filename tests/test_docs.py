"""The pages of docs/ are true of the tree and of the schema: links, paths and example operations."""

import re
from pathlib import Path

import pytest
from graphql import DocumentNode, build_schema, parse, validate

ROOT = Path(__file__).parent.parent
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / f"{name}.md" for name in ("README", "CHANGELOG"))]
SCHEMA = (ROOT / "schema" / "schema.graphql").read_text()
PATH = re.compile(r"`((?:kit|schema|actions|auth|resolvers|models|worker|protocol|bench|demo)/[\w/.-]+)`")
OPERATION = re.compile(r"(query|mutation|subscription|\{)\b")


def anchors(page):
    titles = re.findall(r"(?m)^#+ (.*)$", page.read_text())
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def examples(page):
    """The indented blocks of a page that are GraphQL operations."""
    blocks = re.findall(r"(?m)(?:^    .*\n)+", page.read_text())
    texts = [re.sub(r"(?m)^    ", "", block) for block in blocks]
    return [text for text in texts if OPERATION.match(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_paths_exist(page):
    for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", page.read_text()):
        to = (page.parent / target).resolve() if target else page
        assert to.exists(), target
        assert not anchor or anchor in anchors(to), f"{target}#{anchor}"
    assert [path for path in PATH.findall(page.read_text()) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_are_valid(page):
    schema = build_schema(SCHEMA)
    for text in examples(page):
        for definition in parse(
            text
        ).definitions:  # a page may show a query and its subscription in one block
            assert validate(schema, DocumentNode(definitions=(definition,))) == [], text


def test_the_wrapper_is_quoted_as_it_is():
    text = (ROOT / "docs" / "clients" / "follow.mjs").read_text()
    code = text[text.index("export function") :]
    assert "".join(f"    {line}\n" for line in code.splitlines()) in (ROOT / "docs" / "api.md").read_text()


def test_every_page_is_listed():
    text = (ROOT / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"(docs/{page.name})" not in text] == []
