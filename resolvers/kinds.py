"""What each enum and its members mean to a client. Said before anything that uses them is read."""

import models.account
import models.actor
import models.board
import models.card
import models.notice
import models.policy
import models.run
import models.stage
import models.worker
import models.workspace
from models.event import EventKind
from runtime.transport.describe import enum

enum(
    models.stage.Stage,
    "Where work stands. The law of stages says where it may go from there.",
    BACKLOG="Not yet planned. New cards start here.",
    PLAN="Being planned.",
    TODO="Ready to be worked on.",
    IN_PROGRESS="Being worked on.",
    REVIEW="Waits to be looked at.",
    DONE="Finished.",
)
enum(
    models.stage.MoveGate,
    "Why a move is refused.",
    LAW="The law of stages has no such move.",
    BOARD_ARCHIVED="The board is archived: its cards do not move.",
    CARD_ARCHIVED="The card is archived: unarchive it first.",
    NO_COLUMN="The board has no column of that stage.",
    WIP_LIMIT="The column is full.",
    BLOCKED="Cards that block this one are not done.",
    ACTIVE_RUN="An agent is at work on the card.",
    OPEN_QUESTION="A question on the card waits for an answer.",
    FORBIDDEN="You may look at the board, not change it.",
)
enum(
    models.workspace.Role,
    "What a member may do.",
    ADMIN="Everything, members and archiving included.",
    MEMBER="Work on boards.",
    VIEWER="Look.",
)
enum(
    models.stage.Law,
    "Which moves a board allows.",
    PIPELINE="The law of stages: BACKLOG, PLAN, TODO, IN_PROGRESS, REVIEW, DONE.",
    FREE="People may move cards anywhere; the gates still hold.",
)
enum(
    models.board.Template,
    "The columns a board starts with.",
    BLANK="One column, Backlog.",
    KANBAN="To do, In progress, Review, Done.",
    PIPELINE="Backlog, Plan, To do, In progress, Review, Done: one column for each stage.",
)
enum(
    models.card.Priority,
    "How urgent something is.",
    NONE="Not at all; sorts last.",
    LOW="Can wait.",
    MEDIUM="As usual.",
    HIGH="Soon.",
    CRITICAL="Before everything else.",
)
enum(
    models.card.CardType,
    "What kind of work a card is.",
    FEATURE="Something new.",
    BUG="Something broken.",
    REFACTOR="The same, built better.",
    TEST="Proof that something works.",
    DOCS="Words about it.",
    REVIEW="Looking at other work.",
    CHORE="What has to be done besides.",
)
enum(models.card.Size, "How big a card is.", SMALL="Hours.", MEDIUM="A day or two.", LARGE="Longer.")
enum(
    models.card.LinkKind,
    "How one card is linked to another.",
    BLOCKS="It must be done before work on the other begins.",
    RELATED="They have to do with each other.",
    DUPLICATE="It is the same as the other.",
)
enum(
    models.card.CardOrder,
    "In which order cards are listed.",
    BOARD="As they stand: column by column, from the top.",
    CREATED="Oldest first.",
    UPDATED="Last changed first.",
    PRIORITY="CRITICAL first.",
    DUE="Due first; those without a day last.",
)
enum(
    models.run.RunKind,
    "What kind of work a run is.",
    CODE="Change the code as the card asks.",
    PLAN="Plan the card: its steps become subtasks.",
    REVIEW="Look at the work on the card.",
    TEST="Test the work on the card.",
    INTEGRATE="Bring the work together with its base branch.",
    DOCUMENT="Write the documents the card asks for.",
    BREAKDOWN="Break the card down into smaller ones.",
)
enum(
    models.run.CommandKind,
    "What a worker is to do about a run it holds.",
    STOP="Stop the agent, keep its work, then confirm.",
    CONCLUDE="Let the agent wrap up and finish.",
    ANSWER="Give the agent the answers it waits for.",
)
enum(
    models.worker.WorkerStatus,
    "What a worker does now.",
    IDLE="It holds no run.",
    BUSY="It works.",
    WAITING="It holds runs, and all of them wait.",
    ERROR="It says that something is wrong with it.",
    OFFLINE="It was not heard for 45 seconds, or has left.",
)
enum(
    models.worker.SessionStatus,
    "Whether a conversation lives.",
    ACTIVE="It was used in the last 30 minutes.",
    IDLE="It was not, and can still be gone on with.",
    TERMINATED="It was ended, or began four hours ago: it is not gone on with.",
)
enum(
    models.notice.NotificationType,
    "What a notification is about.",
    CARD_MOVED="A card was moved.",
    RUN_SUCCEEDED="An agent finished.",
    RUN_FAILED="A run failed.",
    QUESTION_ASKED="An agent asks.",
    REVIEW_REQUESTED="Work waits to be looked at.",
    ASSIGNED="A card was assigned to you.",
    MENTIONED="Somebody named you.",
    WARNING="Something is not as it should be.",
)
enum(
    models.run.PermissionLevel,
    "What an agent may do without asking.",
    AUTONOMOUS="Everything its program lets it do.",
    SUPERVISED="What changes something is asked first.",
    HUMAN_REQUIRED="A person decides about each step.",
)
enum(
    models.worker.Executor,
    "Which agent program works a run.",
    CLAUDE_CODE="Claude Code.",
    CODEX="Codex.",
    GEMINI="Gemini CLI.",
    OPENCODE="OpenCode.",
    COMMAND="A command of your own.",
    SCRIPTED="A recording that is played.",
)
enum(
    models.worker.AgentRole,
    "What an agent is for.",
    CODER="It writes code.",
    PLANNER="It plans.",
    REVIEWER="It looks at others' work.",
    TESTER="It tests.",
    INTEGRATOR="It brings work together.",
)
enum(
    models.worker.Skill,
    "How well something can be done, from least to most.",
    BEGINNER="A little.",
    INTERMEDIATE="Well enough.",
    ADVANCED="Well.",
    EXPERT="As well as anybody.",
)
enum(
    models.policy.OnExpiry,
    "What becomes of a run whose question nobody answered in time.",
    FAIL="It fails, with the code QUESTION_EXPIRED.",
    CONTINUE="It goes on with the default the question declared; without one it fails.",
    HOLD="It goes on waiting.",
)
enum(
    models.policy.NoChange,
    "What becomes of a run that ends well and changed nothing.",
    SUCCEED="It succeeded.",
    DECIDE="A person decides.",
)
enum(
    EventKind,
    "What happened; an item's type has the same name.",
    **{kind: f"{kind.replace('_', ' ').capitalize()}." for kind in EventKind},
)
enum(
    models.actor.ActorKind,
    "Who acted.",
    USER="A person.",
    AGENT="A coding agent.",
    WORKER="A worker, which runs agents.",
    SYSTEM="Signalbox itself, by a rule.",
)
enum(
    models.actor.Scope,
    "What a key may do.",
    WRITE="Everything a member may.",
    READ="Look.",
    WORKER="Work runs.",
)
enum(
    models.account.AuthReason,
    "Why somebody is not signed in.",
    MISSING="No credential was sent.",
    EXPIRED="It was good once: refresh it, or sign in again.",
    INVALID="It is not one of ours.",
    REVOKED="It was ended: signed out, replaced, or its account was closed.",
)
enum(
    models.account.EndReason,
    "Why a login was ended.",
    LOGOUT="Its holder signed out.",
    PASSWORD_CHANGED="The password was changed.",  # noqa: S106 - a reason
    REUSED="A refresh token was used twice: somebody else may have had it.",
    REPLACED="There were too many, and it was the one unused longest.",
)
