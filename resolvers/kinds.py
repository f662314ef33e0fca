"""What each enum and its members mean to a client. Said before anything that uses them is read."""

import models.account
import models.actor
import models.board
import models.card
import models.policy
import models.run
import models.stage
import models.workspace
from models.event import EventKind
from runtime import vocabulary
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

enum(
    vocabulary.Type,
    "What a line of a run's log is; the line's own type says the same.",
    name="RunEventType",
    STATUS="What the agent's program does, or has become.",
    PROMPT="What the agent was told.",
    OUTPUT="What the agent says, or what a command prints.",
    THINKING="What the agent thinks.",
    TOOL_STARTED="A tool is used.",
    TOOL_FINISHED="A tool is done.",
    FILE="A file was changed.",
    TODO="The agent's own list of what to do.",
    PROGRESS="How far along something is.",
    COMMIT="Something that stays: a commit, a pull request, an artifact.",
    SUBAGENT="A sub-agent begins, goes on or ends.",
    QUESTION="A person is asked, or has answered.",
    APPROVAL="Permission is asked for, given or denied.",
    KNOWLEDGE="Something was learnt.",
    USAGE="Tokens and money so far.",
    LIMIT="A limit of the provider is near, hit or over.",
    WARNING="Something is not as it should be.",
    ERROR="Something went wrong.",
    ATTEMPT="An attempt begins or ends.",
)
enum(
    vocabulary.Level,
    "How much a line matters.",
    name="LogLevel",
    DEBUG="To find out what is wrong.",
    INFO="As usual.",
    WARNING="Worth a look.",
    ERROR="Something failed.",
    CRITICAL="Nothing goes on.",
)
enum(
    vocabulary.State,
    "What the agent's program does, or has become.",
    name="ProgramState",
    QUEUED="It waits for its turn.",
    STARTED="It was started.",
    WORKING="It works.",
    WAITING="It waits for a person; the reason says for what.",
    RETRYING="The provider is asked again.",
    CHANGED="Its model or mode was changed.",
    COMPACTED="Its context was summarised.",
    RESET="Its context was emptied.",
    IDLE="Its turn ended, which is not the run's completion.",
    ENDED="It has ended.",
)
enum(
    vocabulary.Origin,
    "Who told an agent something.",
    name="PromptOrigin",
    HUMAN="A person.",
    AGENT="Another agent.",
    SCHEDULE="A schedule.",
    SYSTEM="Signalbox.",
)
enum(
    vocabulary.Stream,
    "Where output comes from.",
    name="OutputStream",
    ANSWER="The agent's own words.",
    STDOUT="What a program prints.",
    STDERR="What a program prints as errors.",
)
enum(
    vocabulary.ToolKind,
    "What kind of work a tool does.",
    READ="Reads files.",
    EDIT="Changes files.",
    SEARCH="Searches.",
    EXECUTE="Runs a command.",
    FETCH="Reads from the network.",
    THINK="Thinks or plans.",
    DELEGATE="Gives work to a sub-agent.",
    ASK="Asks a person.",
    MCP="Another server's tool.",
    OTHER="Something else.",
)
enum(
    vocabulary.ToolStatus,
    "How the use of a tool ended.",
    SUCCEEDED="It did what it should.",
    FAILED="It failed.",
    DENIED="It was not allowed.",
    STOPPED="It was cut short.",
)
enum(
    vocabulary.Change,
    "What was done to a file.",
    name="FileChangeKind",
    ADD="It was made.",
    EDIT="It was changed.",
    MOVE="It was moved.",
    DELETE="It was deleted.",
)
enum(
    vocabulary.TodoState,
    "How far an item of an agent's list is.",
    PENDING="Not begun.",
    IN_PROGRESS="Being done.",
    DONE="Done.",
    CANCELLED="Not to be done any more.",
)
enum(
    vocabulary.Phase,
    "Where something that begins and ends stands.",
    name="WorkPhase",
    STARTED="It begins.",
    PROGRESS="It goes on.",
    ENDED="It has ended.",
    FAILED="It has failed.",
)
enum(
    vocabulary.Decision,
    "How far a question or a request for permission is.",
    name="AskState",
    ASKED="It was asked.",
    ANSWERED="It was answered.",
    ALLOWED="It was allowed.",
    DENIED="It was denied.",
    EXPIRED="Nobody answered in time.",
)
enum(
    vocabulary.LimitState,
    "How a limit of the provider stands.",
    NEAR="It is near.",
    HIT="It is reached: the provider answers no more for a while.",
    CLEARED="It is over.",
)
enum(
    vocabulary.Produced,
    "What was produced.",
    name="ProducedKind",
    COMMIT="A commit.",
    PULL_REQUEST="A pull request.",
    ARTIFACT="A file or page besides.",
)
enum(
    models.run.RunStatus,
    "How far a run is. The last three are final.",
    QUEUED="It waits for a worker.",
    CLAIMED="A worker has it, and its agent has not said anything yet.",
    RUNNING="Its agent works.",
    WAITING="It waits, for a person or for something outside.",
    SUCCEEDED="Its work is done.",
    FAILED="It ended without.",
    CANCELLED="Somebody stopped it.",
)
enum(
    models.run.RunOutcome,
    "What a run brought.",
    CHANGES="Changes, on its branch.",
    NO_CHANGES="Nothing had to be changed.",
    AGENT_COMMITTED="Changes that the agent committed itself.",
)
enum(
    models.run.FailureCode,
    "Why a run failed.",
    AGENT_ERROR="Its agent failed, or ended without completing.",
    TIMEOUT="It took longer than it may.",
    SILENT="Its agent said nothing for longer than it may.",
    LEASE_EXPIRED="Its workers were lost again and again.",
    EXPIRED="No worker took it in the time it may wait.",
    ATTEMPTS_EXHAUSTED="All its attempts failed.",
    POLICY_VIOLATION="Its agent did, or wanted, what the policy forbids.",
    WORKSPACE_ERROR="The repository, the branch or the agent's program could not be had.",
    SESSION_LOST="The conversation it should have gone on with is gone.",
    QUESTION_EXPIRED="Nobody answered its question in time.",
    CHECK_FAILED="A check of its work failed.",
    REJECTED="Its work was rejected.",
    LIMIT_REACHED="A limit of the provider was reached.",
)
