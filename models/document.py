"""Documents of a workspace or a board, their earlier revisions, and their links."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kit.db.database import Base, Id
from kit.db.transaction import EventScope
from kit.described_enum import DescribedEnum
from kit.ids import maker
from models.columns import Editable, Stamped, enum_column
from models.topic import board_scope, workspace_scope

MAX_DOCUMENTS = 5_000  # of a workspace
MAX_CONTENT_BYTES = 900_000  # of a document
MAX_REVISIONS = 50  # kept of a document
MAX_TAGS = 20
MAX_TAG_LENGTH = 50  # characters
MAX_LINKS = 100  # of a document, and of a board, card, group or run
MAX_URI_LENGTH = 2_000
MAX_HINT_LENGTH = 1_000
MAX_COMPARED_LINES = 5_000


class DocumentKind(DescribedEnum):
    """The kind of a document."""

    DOC = "DOC", "Any other text."
    DESIGN = "DESIGN", "A design."
    PLAN = "PLAN", "A plan."
    SPEC = "SPEC", "A specification."
    GUIDE = "GUIDE", "A guide."
    REFERENCE = "REFERENCE", "A reference."
    CODE = "CODE", "A file of source code."
    RESEARCH = "RESEARCH", "Research, and its sources."
    LINK = "LINK", "A page elsewhere."
    IMAGE = "IMAGE", "An image."
    SKILL = "SKILL", "A skill for agents."
    MCP = "MCP", "An MCP server."
    CLI = "CLI", "A command-line tool."
    API = "API", "An API."
    PROMPT = "PROMPT", "A prompt."
    RUNBOOK = "RUNBOOK", "Steps for operators."
    TEST = "TEST", "A test plan."
    SCAFFOLD = "SCAFFOLD", "A template to start from."
    MEMORY = "MEMORY", "Notes to remember."


class DocumentRole(DescribedEnum):
    """The role of a document for what it is linked to."""

    SOURCE = "SOURCE", "It is what the work comes from."
    SUPPORTS = "SUPPORTS", "It helps with the work."
    CONSTRAINS = "CONSTRAINS", "The work must comply with it."
    REFERENCE = "REFERENCE", "It may be looked up."


class Written:
    """The columns of a document that a revision keeps."""

    kind: Mapped[DocumentKind] = mapped_column(enum_column(DocumentKind))
    name: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(255))
    content: Mapped[str | None] = mapped_column(Text)
    uri: Mapped[str | None] = mapped_column(String(MAX_URI_LENGTH))
    integration_system: Mapped[str | None] = mapped_column(String(100))
    integration_key: Mapped[str | None] = mapped_column(String(500))  # of the document in that system
    locator: Mapped[str | None] = mapped_column(String(500))
    repository: Mapped[str | None] = mapped_column(String(500))
    mime: Mapped[str] = mapped_column(String(100))
    checksum: Mapped[str | None] = mapped_column(String(64))  # SHA-256 of the content
    tags: Mapped[list[str]] = mapped_column(default=list)


WRITTEN = (
    *("kind", "name", "title", "content", "uri", "integration_system", "integration_key"),
    *("locator", "repository", "mime", "checksum", "tags"),
)


class Document(Written, Editable, Base):
    __tablename__ = "document"
    __table_args__ = (
        CheckConstraint(
            "content IS NOT NULL OR uri IS NOT NULL OR integration_key IS NOT NULL", name="has_something"
        ),
        Index("ix_document_workspace_id", "workspace_id", "id"),
        Index("ix_document_board_id", "board_id", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("document"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    board_id: Mapped[str | None] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    folded_tags: Mapped[str] = mapped_column(Text, default="")  # one a line, with a line feed around each
    revision: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[str | None] = mapped_column(Id)  # a user, a key or a run

    @property
    def scope(self) -> EventScope:
        if self.board_id is not None:
            return board_scope(self.board_id, self.workspace_id)
        return workspace_scope(self.workspace_id)


class DocumentRevision(Written, Stamped, Base):
    """A document before a change. The newest 50 are kept."""

    __tablename__ = "document_revision"

    document_id: Mapped[str] = mapped_column(ForeignKey("document.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    changed_by: Mapped[str | None] = mapped_column(Id)  # the author of the revision


class DocumentLink(Stamped, Base):
    """A document is linked to a board, or to a card, a group or a run on it."""

    __tablename__ = "document_link"
    __table_args__ = (
        UniqueConstraint("document_id", "target_id"),
        Index("ix_document_link_target_id", "target_id"),
        Index("ix_document_link_board_id", "board_id"),
        Index("ix_document_link_card_id", "card_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=maker("doclink"))
    document_id: Mapped[str] = mapped_column(ForeignKey("document.id", ondelete="CASCADE"))
    board_id: Mapped[str] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    card_id: Mapped[str | None] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"))
    group_id: Mapped[str | None] = mapped_column(ForeignKey("card_group.id", ondelete="CASCADE"))
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    target_id: Mapped[str] = mapped_column(Id)  # of the board, card, group or run
    role: Mapped[DocumentRole] = mapped_column(enum_column(DocumentRole))
    usage_hint: Mapped[str] = mapped_column(String(MAX_HINT_LENGTH), default="")
    created_by: Mapped[str | None] = mapped_column(Id)
