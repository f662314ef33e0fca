"""What each enum and its members mean to a client. Said before anything that uses them is read."""

import auth.permissions
import kit.queue
import models.account
import models.actor
import models.batch
import models.board
import models.card
import models.message
import models.notice
import models.policy
import models.question
import models.run
import models.stage
import models.worker
import models.workspace
from kit.graphql.types import graphql_enum
from protocol import events

graphql_enum(
    models.stage.Stage,
    "Where work stands. The law of stages says where it may go from there.",
    BACKLOG="Not yet planned. New cards start here.",
    PLAN="Being planned.",
    TODO="Ready to be worked on.",
    IN_PROGRESS="Being worked on.",
    REVIEW="Waits to be looked at.",
    DONE="Finished.",
)
graphql_enum(
    auth.permissions.Access,
    "Who may call an operation.",
    ANYONE="Anyone, without signing in.",
    PERSON="Any signed-in person.",
    MEMBER="Members of the workspace, and API keys of the workspace that may write.",
    BOARD="Members of the workspace, and API keys of the workspace or the board that may write.",
    WORKER="Members of the workspace, and API keys that may write or work runs.",
    ADMIN="Admins of the workspace.",
    AUTHOR="The author; an admin may delete.",
    AGENT="The agent of a run, with the run's own credential.",
)
graphql_enum(
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
graphql_enum(
    models.workspace.Role,
    "What a member may do.",
    ADMIN="Everything, members and archiving included.",
    MEMBER="Work on boards.",
    VIEWER="Look.",
)
graphql_enum(
    models.stage.Law,
    "Which moves a board allows.",
    PIPELINE="The law of stages: BACKLOG, PLAN, TODO, IN_PROGRESS, REVIEW, DONE.",
    FREE="People may move cards anywhere; the gates still hold.",
)
graphql_enum(
    models.board.Template,
    "The columns a board starts with.",
    BLANK="One column, Backlog.",
    KANBAN="To do, In progress, Review, Done.",
    PIPELINE="Backlog, Plan, To do, In progress, Review, Done: one column for each stage.",
)
graphql_enum(
    models.card.Priority,
    "How urgent something is.",
    NONE="Not at all; sorts last.",
    LOW="Can wait.",
    MEDIUM="As usual.",
    HIGH="Soon.",
    CRITICAL="Before everything else.",
)
graphql_enum(
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
graphql_enum(
    models.card.CardSize, "How big a card is.", SMALL="Hours.", MEDIUM="A day or two.", LARGE="Longer."
)
graphql_enum(
    models.card.LinkKind,
    "How one card is linked to another.",
    BLOCKS="It must be done before work on the other begins.",
    RELATED="They have to do with each other.",
    DUPLICATE="It is the same as the other.",
)
graphql_enum(
    models.card.CardOrder,
    "In which order cards are listed.",
    BOARD="As they stand: column by column, from the top.",
    CREATED="Oldest first.",
    UPDATED="Last changed first.",
    PRIORITY="CRITICAL first.",
    DUE="Due first; those without a day last.",
)
graphql_enum(
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
graphql_enum(
    models.run.CommandKind,
    "What a worker is to do about a run it holds.",
    STOP="Stop the agent, keep its work, then confirm.",
    CONCLUDE="Let the agent wrap up and finish.",
    ANSWER="Give the agent the answers it waits for.",
)
graphql_enum(
    models.worker.WorkerStatus,
    "What a worker does now.",
    IDLE="It holds no run.",
    BUSY="It works.",
    WAITING="It holds runs, and all of them wait.",
    ERROR="It says that something is wrong with it.",
    OFFLINE="It was not heard for 45 seconds, or has left.",
)
graphql_enum(
    models.worker.SessionStatus,
    "Whether a conversation lives.",
    ACTIVE="It was used in the last 30 minutes.",
    IDLE="It was not, and can still be gone on with.",
    TERMINATED="It was ended, or began four hours ago: it is not gone on with.",
)
graphql_enum(
    models.message.MessageKind,
    "What a message is for.",
    COMMENT="Something that was said.",
    INSTRUCTION="What an agent is to do.",
    FEEDBACK="Why work was sent back.",
    STATUS="How work goes.",
    ERROR="What went wrong.",
)
graphql_enum(
    models.notice.NotificationType,
    "What a notification is about.",
    CARD_MOVED="A card was moved.",
    RUN_SUCCEEDED="An agent finished.",
    RUN_FAILED="A run failed.",
    QUESTION_ASKED="Somebody asks: an agent, or a person about a card.",
    REVIEW_REQUESTED="Work waits to be looked at.",
    ASSIGNED="A card was assigned to you.",
    MENTIONED="Somebody named you.",
    WARNING="Something is not as it should be.",
)
graphql_enum(
    models.run.PermissionLevel,
    "What an agent may do without asking.",
    AUTONOMOUS="Everything its program lets it do.",
    SUPERVISED="What changes something is asked first.",
    HUMAN_REQUIRED="A person decides about each step and ends each question: no key does, no default, no time.",
)
graphql_enum(
    models.worker.AgentProgram,
    "Which agent program works a run.",
    CLAUDE_CODE="Claude Code.",
    CODEX="Codex.",
    GEMINI="Gemini CLI.",
    OPENCODE="OpenCode.",
    COMMAND="A command of your own.",
    SCRIPTED="A recording that is played.",
)
graphql_enum(
    models.worker.AgentRole,
    "What an agent is for.",
    CODER="It writes code.",
    PLANNER="It plans.",
    REVIEWER="It looks at others' work.",
    TESTER="It tests.",
    INTEGRATOR="It brings work together.",
)
graphql_enum(
    models.worker.Skill,
    "How well something can be done, from least to most.",
    BEGINNER="A little.",
    INTERMEDIATE="Well enough.",
    ADVANCED="Well.",
    EXPERT="As well as anybody.",
)
graphql_enum(
    models.policy.OnExpiry,
    "What becomes of a run whose question nobody answered in time.",
    FAIL="It fails, with the code QUESTION_EXPIRED.",
    CONTINUE="It goes on with the default the question declared; without one it fails.",
    HOLD="It goes on waiting.",
)
graphql_enum(
    models.policy.NoChange,
    "What becomes of a run that ends well and changed nothing.",
    SUCCEED="It succeeded.",
    DECIDE="A person decides.",
)
graphql_enum(
    models.actor.ActorKind,
    "Who acted.",
    USER="A person.",
    AGENT="A coding agent.",
    WORKER="A worker, which runs agents.",
    SYSTEM="Signalbox itself, by a rule.",
)
graphql_enum(
    models.actor.Scope,
    "What a key may do.",
    WRITE="Everything a member may.",
    READ="Look.",
    WORKER="Work runs.",
)
graphql_enum(
    models.account.AuthReason,
    "Why somebody is not signed in.",
    MISSING="No credential was sent.",
    EXPIRED="It was good once: refresh it, or sign in again.",
    INVALID="It is not one of ours.",
    REVOKED="It was ended: signed out, replaced, or its account was closed.",
)
graphql_enum(
    models.account.EndReason,
    "Why a login was ended.",
    LOGOUT="Its holder signed out.",
    PASSWORD_CHANGED="The password was changed.",  # noqa: S106 - a reason
    REUSED="A refresh token was used twice: somebody else may have had it.",
    REPLACED="There were too many, and it was the one unused longest.",
)
graphql_enum(
    models.run.RunStatus,
    "Where a run stands. The last three are its end.",
    QUEUED="Waits for a worker.",
    CLAIMED="A worker has it; its agent has not said anything yet.",
    RUNNING="Its agent is at work.",
    WAITING="Waits for people or for other things; see `waitReason`.",
    SUCCEEDED="Done, as its agent said.",
    FAILED="Failed for good; see `failureCode`.",
    CANCELLED="Stopped.",
)
graphql_enum(
    models.batch.BatchStatus,
    "Where a batch of runs stands.",
    ACTIVE="At least one of its runs has not ended.",
    SUCCEEDED="All of its runs succeeded.",
    FAILED="All have ended, and not all of them succeeded.",
    CANCELLED="All of its runs were stopped, or went with their cards.",
)
graphql_enum(
    models.run.WaitReason,
    "What a run waits for. Today that is a QUESTION or a DECISION; the others are kept for later.",
    QUESTION="An answer. A permission that an agent asks for is a question too.",
    APPROVAL="An approval. For later: no run waits for one.",
    DECISION="A decision: its agent changed nothing.",
    CI="Checks. For later: no run waits for them.",
    CHILDREN="Other runs. For later: no run waits for them.",
)
graphql_enum(
    models.run.RunOutcome,
    "Whether a run changed anything.",
    CHANGES="It did; its worker committed the rest of it.",
    NO_CHANGES="It did not.",
    AGENT_COMMITTED="It did, and its agent committed all of it.",
)
graphql_enum(
    events.EventType,
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
graphql_enum(
    events.LogLevel,
    "How much a line matters.",
    name="LogLevel",
    DEBUG="To find out what is wrong.",
    INFO="As usual.",
    WARNING="Worth a look.",
    ERROR="Something failed.",
    CRITICAL="Nothing goes on.",
)
graphql_enum(
    events.AgentStatus,
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
graphql_enum(
    events.Origin,
    "Who told an agent something.",
    name="PromptOrigin",
    HUMAN="A person.",
    AGENT="Another agent.",
    SCHEDULE="A schedule.",
    SYSTEM="Signalbox.",
)
graphql_enum(
    events.OutputStream,
    "Where output comes from.",
    name="OutputStream",
    ANSWER="The agent's own words.",
    STDOUT="What a program prints.",
    STDERR="What a program prints as errors.",
)
graphql_enum(
    events.ToolKind,
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
graphql_enum(
    events.ToolStatus,
    "How the use of a tool ended.",
    SUCCEEDED="It did what it should.",
    FAILED="It failed.",
    DENIED="It was not allowed.",
    STOPPED="It was cut short.",
)
graphql_enum(
    events.FileChange,
    "What was done to a file.",
    name="FileChangeKind",
    ADD="It was made.",
    EDIT="It was changed.",
    MOVE="It was moved.",
    DELETE="It was deleted.",
)
graphql_enum(
    events.TodoState,
    "How far an item of an agent's list is.",
    PENDING="Not begun.",
    IN_PROGRESS="Being done.",
    DONE="Done.",
    CANCELLED="Not to be done any more.",
)
graphql_enum(
    events.LifecyclePhase,
    "Where something that begins and ends stands.",
    name="WorkPhase",
    STARTED="It begins.",
    PROGRESS="It goes on.",
    ENDED="It has ended.",
    FAILED="It has failed.",
)
graphql_enum(
    events.DecisionState,
    "How far a question or a request for permission is.",
    name="AskState",
    ASKED="It was asked.",
    ANSWERED="It was answered.",
    ALLOWED="It was allowed.",
    DENIED="It was denied.",
    EXPIRED="Nobody answered in time.",
    CANCELLED="It was taken back, or its run or attempt ended.",
)
graphql_enum(
    events.LimitState,
    "How a limit of the provider stands.",
    NEAR="It is near.",
    HIT="It is reached: the provider answers no more for a while.",
    CLEARED="It is over.",
)
graphql_enum(
    events.ContributionKind,
    "What was produced.",
    name="ProducedKind",
    COMMIT="A commit.",
    PULL_REQUEST="A pull request.",
    ARTIFACT="A file or page besides.",
)
graphql_enum(
    models.run.FailureCode,
    "Why a run failed.",
    AGENT_ERROR="Its agent said so, broke off, or left without a word.",
    TIMEOUT="It took longer than it may.",
    SILENT="Its agent said nothing for too long.",
    LEASE_EXPIRED="Its workers were lost, again and again.",
    EXPIRED="No worker took it in time.",
    ATTEMPTS_EXHAUSTED="It was tried as often as it may be.",
    POLICY_VIOLATION="It did, or needed, what it may not.",
    WORKSPACE_ERROR="Its worker could not give it a place to work: no program, no repository, no branch.",
    SESSION_LOST="The conversation it was to go on with is gone.",
    QUESTION_EXPIRED="Nobody answered its question in time.",
    CHECK_FAILED="A check that it must pass failed. Workers may say so, with `failRun`; ours never does.",
    REJECTED="A person rejected it. Workers may say so, with `failRun`; ours never does, nor does `rejectCard`.",
    LIMIT_REACHED="A limit of the agent's provider was reached. As CHECK_FAILED, only workers may say so.",
)
graphql_enum(
    models.run.AgentState,
    "What agents are doing on a card.",
    IDLE="Nothing, and nothing was asked of them.",
    QUEUED="A run waits for a worker.",
    STARTING="A worker has it; its agent starts.",
    PLANNING="An agent plans the card.",
    WORKING="An agent is at work.",
    WAITING_TOOL="An agent waits for a tool: a command, a download.",
    WAITING_INPUT="An agent waits for an answer.",
    BLOCKED="An agent waits for something else.",
    SUCCEEDED="The last run succeeded.",
    FAILED="The last run failed.",
    CANCELLED="The last run was stopped.",
)
graphql_enum(
    kit.queue.AttemptOutcome,
    "How an attempt ended.",
    SUCCEEDED="Done.",
    FAILED="It failed.",
    CANCELLED="It was stopped.",
    LOST="Its lease ran out: its worker was not heard.",
    RELEASED="Its worker gave it back.",
)
graphql_enum(
    models.question.QuestionType,
    "What an answer consists of.",
    TEXT="Words; options are suggestions.",
    SINGLE="One of the options, or other words where they are taken.",
    MULTI="One or more of the options, and other words where they are taken.",
)
graphql_enum(
    models.question.QuestionStatus,
    "Whether a question waits for an answer.",
    OPEN="It does.",
    ANSWERED="It was answered.",
    EXPIRED="Nobody answered in time.",
    CANCELLED="It need not be answered any more.",
)
graphql_enum(
    models.question.AnsweredBy,
    "Who answered a question.",
    HUMAN="A person.",
    AUTOMATED="A rule, a default, or a program with a key.",
)
graphql_enum(
    models.run.WhyNotRunningCode,
    "Why a run is not running.",
    BLOCKED="Cards that block its card are not done.",
    WIP_LIMIT="The column its card would enter is full.",
    BOARD_ARCHIVED="The board is archived.",
    CARD_ARCHIVED="The card is archived.",
    NO_CAPABLE_WORKER="No worker that could do it is online.",
    LIMIT_REACHED="As many as allowed are at work, on the board or with its profile.",
    DUE_LATER="It failed and is tried again later.",
    IN_QUEUE="Nothing keeps it: it waits for its turn.",
    LEASE_HELD="A worker has it, and its agent has not said anything yet.",
    WAITS="It waits, with or without its worker.",
    STOPPING="It was asked to stop.",
)
