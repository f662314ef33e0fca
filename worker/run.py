"""One claimed run, from its worktree to its report.

The program runs in a worktree of its own; its events leave through the outbox. A run whose lease is lost ends its
program and reports nothing more. The worktree is removed once the server has the result.
"""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from protocol.events import (
    PERMISSION_KEY,
    AgentEvent,
    AgentResult,
    AgentWarning,
    ApprovalRequested,
    Contribution,
    DecisionState,
    LifecyclePhase,
    OutputText,
    PromptGiven,
    PromptOrigin,
    QuestionRaised,
    StatusChanged,
    TokenUsage,
)
from protocol.events import AttemptChanged as AttemptEvent
from protocol.text import plain
from worker.api import (
    BranchResult,
    BranchWork,
    ClaimedWork,
    Conclude,
    Decide,
    Failure,
    FinishedWork,
    LeaseLost,
    PersonMessage,
    QuestionAnswer,
    ServerRejected,
    ServerUnreachable,
    Stop,
    WorkerApi,
    WorkerCommand,
)
from worker.checks import CheckRunner
from worker.finish import (
    NO_SUMMARY,
    extend_output,
    report_end,
    summarize,
    title_of,
    total_usage,
    usage_of,
)
from worker.merging import do_branch_task
from worker.outbox import Outbox
from worker.process import Agent, ProcessLimits, ProcessOutcome
from worker.programs import ADAPTERS
from worker.programs.adapter import (
    ALLOW,
    WRAP_UP,
    ProgramAdapter,
    ProgramTask,
    answered,
    permission_question,
)
from worker.retry import retry_until_reached
from worker.settings import WorkerSettings
from worker.workflow import NOT_TRUSTED, Workflow, has_workflow, load_workflow
from worker.workspace import copy_files, run_script, start_folder
from worker.worktree import Diff, Settled, WorkspaceError, Worktree

log = logging.getLogger(__name__)
LOCK_POLL_SECONDS = 1.0
SNAPSHOT_INTERVAL_SECONDS = 2.0  # between two reports of changes, at least
SNAPSHOT_PAUSE_FACTOR = 10.0  # of the time that a look takes
RELEASED, CANCELLED, CONCLUDE, ANSWERED, MESSAGE = "RELEASED", "CANCELLED", "CONCLUDE", "ANSWERED", "MESSAGE"
CREATED = "signalbox-created"  # in the worktree's git directory: after_create has succeeded


class WorkerRun:
    """One claimed run, from its worktree to its report."""

    def __init__(self, api: WorkerApi, claim: ClaimedWork, settings: WorkerSettings) -> None:
        self.api, self.claim, self.settings = api, claim, settings
        self.lease = claim.lease
        self.outbox = Outbox(api, claim.lease)
        self.tree: Worktree | None = None
        self.agent: Agent | None = None
        self.session = claim.session
        self.usage: TokenUsage | None = None
        self.spent: list[TokenUsage] = []  # usage of earlier processes
        self.session_usage = usage_of(claim.session_usage or {})  # of the session, before this process
        self._last_output = OutputText()  # the agent's last output
        self._questions: dict[str, QuestionRaised] = {}
        self._answers: dict[str, QuestionAnswer] = {}  # answers that arrived before their question
        self._next = ""  # prompt to resume with
        self._messages: list[str] = []  # of people, for the end of the turn
        self._done_commands: set[str] = set()
        self._ended: AgentResult | None = None  # overrides what the agent declares
        self._lost = False
        self._broken = ""  # the error that prevents a report of the work
        self.finishing = False  # the end is being reported; the lease may be closed already
        self.lease_renewed_at = time.monotonic()  # when the server last confirmed the lease
        self._tasks: set[asyncio.Task[Any]] = set()
        self._working: asyncio.Task[BranchResult] | None = None  # a task on a branch
        self._workflow = Workflow()
        self._folder: Path | None = None  # where the agent starts
        self._checks: CheckRunner | None = None  # while checks are run

    async def work(self) -> None:
        if self.claim.task is not None:
            return await self._work_task(self.claim.task)
        post = self._spawn(self._post())
        try:
            outcome = await self._try()
            if self._lost:
                return None
            result = await self._result(self.tree, outcome) if self.tree else None
            if self.tree and result and not self._broken and outcome.ended.code != RELEASED:
                await self._show_final(self.tree, result)
                if outcome.ended.ok:
                    await self._check(self.tree, result)
            for failed in await self._clean_up(self.tree) if self.tree else ():
                await self.outbox.put(AgentWarning(text=failed, code="WORKSPACE_ERROR"))
                result = result and replace(result, warnings=(*result.warnings, failed))
            self.outbox.close()
            await post
            if self._broken and outcome.ended.ok:
                outcome = ProcessOutcome(ended=AgentResult.failed(self._broken, "WORKSPACE_ERROR"))
            if not self._lost:
                await self._finish(outcome, result)
        finally:
            for task in (post, *self._tasks):
                task.cancel()
            await asyncio.gather(post, *self._tasks, return_exceptions=True)
            if self.tree:
                self.tree.let_go()

    async def _work_task(self, task: BranchWork) -> None:
        """Do a task on a branch instead of starting an agent."""
        repository = Path(self.claim.repository) if self.claim.repository else self.settings.repository
        working = asyncio.create_task(
            do_branch_task(repository, task, self._lock_repository, self._hold_still)
        )
        self._working = working
        try:
            await asyncio.wait([working])
            if self._lost:
                return
            if working.cancelled():
                ended = self._ended or AgentResult.failed("Stopped", CANCELLED)
                await self._finish(ProcessOutcome(ended=ended), None)
                return
            result = working.result()
            self.finishing = True
            await retry_until_reached(lambda: self.api.finish_task(self.lease, result))
        except LeaseLost:
            self.lose()
        except (WorkspaceError, OSError, ServerRejected) as error:
            ended = AgentResult.failed(str(error), "WORKSPACE_ERROR")
            await self._finish(ProcessOutcome(ended=ended), None)
        finally:
            working.cancel()

    def _hold_still(self) -> None:
        """Let the task end: a branch is about to move, so the result must be reported."""
        self.finishing, self._working = True, None

    async def _lock_repository(self) -> None:
        """Take the repository's lock, as soon as its holder lets it go."""
        while True:
            try:
                return await retry_until_reached(lambda: self.api.lock_repository(self.lease))
            except ServerRejected as error:
                if error.code != "CONFLICT":
                    raise
            await asyncio.sleep(LOCK_POLL_SECONDS)

    def is_active(self, since: float) -> bool:
        """Return whether the agent was active since `since`. Creating the worktree and checks count as activity."""
        return self.agent is None or self._checks is not None or self.agent.last_sign_of_life >= since

    def execute(self, command: WorkerCommand) -> None:
        """Execute a command once. Commands arrive by two ways and may be repeated."""
        if command.id in self._done_commands:
            return
        self._done_commands.add(command.id)
        match command:
            case Stop():
                self._end(AgentResult.failed(command.reason, CANCELLED))
            case Conclude():
                self._spawn(self._conclude())
            case QuestionAnswer():
                self._answer(command)
            case PersonMessage():
                self._spawn(self._pass_on(command))
            case Decide():
                if self.agent:
                    self.agent.decide(command.key, allow=command.allow, note=command.note)
        self._spawn(self._acknowledge(command))

    def release(self, reason: str) -> None:
        self._end(AgentResult.failed(reason, RELEASED, retryable=True))

    def _end(self, why: AgentResult) -> None:
        self._ended = self._ended or why
        if self._working:
            self._working.cancel()
        if self._checks:
            self._checks.stop(why.reason)
        if self.agent:
            self.agent.stop(why)

    async def _conclude(self) -> None:
        while self.agent is None or self.agent.pid is None:  # noqa: ASYNC110 - nothing signals the start of a program
            await asyncio.sleep(0.1)
        if not self.agent.conclude():
            self._resume_with(WRAP_UP, CONCLUDE)

    def _answer(self, command: QuestionAnswer) -> None:
        question = self._questions.pop(command.key, None)
        if question is None:
            self._answers[command.key] = command  # it arrived before its question
        elif (choices := command.answers.get(PERMISSION_KEY)) is not None and self.agent:
            note = " ".join(word for word in choices if word != ALLOW)
            self.agent.decide(command.key, allow=ALLOW in choices, note=note)
        elif self.agent and not self.agent.answer(command.key, command.answers):
            self._resume_with(answered(question.asks, command.answers), ANSWERED)

    async def _pass_on(self, message: PersonMessage) -> None:
        """Give the agent a person's message; one that takes no input gets it with its next prompt."""
        while self.agent is None or self.agent.pid is None:  # noqa: ASYNC110 - nothing signals the start of a program
            await asyncio.sleep(0.1)
        if self.agent.tell(message.body, interrupts=message.interrupts):
            await self.outbox.put(PromptGiven(text=message.body, origin=PromptOrigin.HUMAN))
        elif message.interrupts:
            self._resume_with(message.body, MESSAGE)
        else:
            self._messages.append(message.body)
            text = "The program takes no message while it runs; it gets it when its turn has ended"
            await self.outbox.put(AgentWarning(text=text, code="MESSAGE_WAITS"))

    def _resume_with(self, prompt: str, why: str) -> None:
        """Stop a program that takes no input while it runs, and resume its session with a prompt."""
        self._next = prompt
        if self.agent:
            self.agent.stop(AgentResult.failed(prompt, why))

    async def _try(self) -> ProcessOutcome:
        claim = self.claim
        await self.outbox.put(AttemptEvent(number=self.lease.attempt, phase=LifecyclePhase.STARTED))
        if claim.executor not in self.settings.executors or claim.executor not in ADAPTERS:
            why = f"This worker has no program {claim.executor!r}"
            return ProcessOutcome(ended=AgentResult.failed(why, "WORKSPACE_ERROR"))
        try:
            self.tree = await Worktree.cut(
                Path(claim.repository) if claim.repository else self.settings.repository,
                self.settings.worktrees,
                claim.workspace or self.lease.run,
                attempt=self.lease.attempt,
                template=claim.branch_template,
                names={"run": self.lease.run, **claim.names},
                base=claim.base,
                branch=claim.branch,
            )
        except (WorkspaceError, OSError) as error:
            return ProcessOutcome(ended=AgentResult.failed(str(error), "WORKSPACE_ERROR"))
        following = self._spawn(self._follow_changes(self.tree))
        try:
            if failed := await self._prepare(self.tree):
                ended = self._ended or AgentResult.failed(failed, "WORKSPACE_ERROR")
                return ProcessOutcome(ended=ended)
            return await self._converse(self.tree)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _prepare(self, tree: Worktree) -> str:
        """Copy files and run the scripts. Returns why the folder cannot be used, or an empty text."""
        rules = self.claim.rules
        try:
            await self._load_workflow(tree)
            for warning in await copy_files(tree, rules):
                await self.outbox.put(AgentWarning(text=warning, code="WORKSPACE_ERROR"))
            self._folder = start_folder(tree, rules)
            if failed := await self._script(tree, "setup", rules.setup_script, stops=True):
                return failed
            created = tree.own / CREATED  # removed with the worktree
            if not created.exists():
                if failed := await self._hook(tree, "after_create", stops=True):
                    return failed
                created.touch()
            return await self._hook(tree, "before_run", stops=True)
        except (WorkspaceError, OSError) as error:
            return str(error)

    async def _load_workflow(self, tree: Worktree) -> None:
        """Read WORKFLOW.md and put its prompt before the run's. Raises WorkspaceError."""
        claim, attempt = self.claim, self.lease.attempt - 1
        if not self.settings.trusts_workflow:
            if attempt == 0 and await has_workflow(tree):
                await self.outbox.put(AgentWarning(text=NOT_TRUSTED, code="WORKFLOW_NOT_TRUSTED"))
            return
        continues = bool(claim.session or claim.branch)
        self._workflow = await load_workflow(tree, claim.issue, attempt or (1 if continues else None))
        if (first := self._workflow.prompt) and not claim.keeps_files:
            whole = f"{first}\n\n{claim.whole}" if claim.whole else ""
            self.claim = replace(claim, prompt=f"{first}\n\n{claim.prompt}", whole=whole)

    async def _clean_up(self, tree: Worktree) -> list[str]:
        """Run the scripts that follow the agent. Returns why they failed."""
        done = [await self._hook(tree, "after_run")]
        done.append(await self._script(tree, "cleanup", self.claim.rules.cleanup_script))
        return [failed for failed in done if failed]

    async def _hook(self, tree: Worktree, name: str, *, stops: bool = False) -> str:
        """Run a script of WORKFLOW.md in the folder. Returns why it failed, or an empty text."""
        script, seconds = self._workflow.hooks.get(name, ""), self._workflow.seconds
        return await self._script(tree, f"WORKFLOW.md {name}", script, seconds, stops=stops)

    async def _script(
        self, tree: Worktree, name: str, script: str, seconds: float = 0, *, stops: bool = False
    ) -> str:
        """Run a script in the folder; with `stops`, not if the run has ended. Returns why it failed."""
        if not script:
            return ""
        self._checks = CheckRunner(tree.folder, held=(tree.lock,))
        if self._ended and stops:
            self._checks.stop(self._ended.reason)
        try:
            return await run_script(self._checks, name, script, seconds or self.claim.rules.script_seconds)
        finally:
            self._checks = None

    async def _converse(self, tree: Worktree) -> ProcessOutcome:
        """Run the program, again whenever it is resumed or its session is lost."""
        prompt, retried = self.claim.prompt, False
        whole, prompts = (
            self.claim.whole or prompt,
            list[str](),
        )  # a new session needs all prompts so far
        while True:
            self._next = ""
            outcome = await self._process(tree, prompt)
            if self._ended is not None:
                kept = outcome.ended if outcome.ended.ok else self._ended
                return ProcessOutcome(ended=kept, session=self.session, exit_code=outcome.exit_code)
            if outcome.ended.code == "SESSION_LOST" and self.session and not retried:
                await self.outbox.put(
                    AgentWarning(text="The session is lost; starting without it", code="SESSION_LOST")
                )
                self.session, retried = "", True
                prompt = "\n\n".join([whole, *prompts])
                continue
            if outcome.ended.ok and self._messages and not self._lost:
                self._next, self._messages = "\n\n".join(self._messages), []
            elif not self._next or outcome.ended.ok:
                return outcome
            prompts.append(self._next)
            if 0 < self._workflow.turns <= len(prompts):
                why = f"WORKFLOW.md allows {self._workflow.turns} turns (agent.max_turns)"
                return replace(outcome, ended=AgentResult.failed(why, "LIMIT_REACHED"))
            prompt = self._next if self.session else "\n\n".join([whole, *prompts])

    async def _process(self, tree: Worktree, prompt: str) -> ProcessOutcome:
        claim = self.claim
        adapter: ProgramAdapter = ADAPTERS[claim.executor]()
        work = ProgramTask(
            run=self.lease.run,
            prompt=prompt,
            session=self.session,
            model=claim.model,
            supervised=claim.supervised,
            strict=claim.strict,
            instructions=claim.instructions,
            tools=claim.tools,
            env=claim.env,
            options=claim.options | self.settings.options.get(claim.executor, {}),
        )
        adapter.earlier = self.session_usage = self.session_usage if self.session else TokenUsage()
        limits = ProcessLimits(silence=claim.silence, wall=claim.wall, grace=self.settings.grace)
        self.agent = Agent(adapter, work, self._folder or tree.folder, limits, held=(tree.lock,))
        if self._ended:
            return ProcessOutcome(ended=self._ended)
        await self.outbox.put(PromptGiven(text=prompt))
        try:
            return await self.agent.run(self._on_event)
        finally:
            self.session = adapter.session or self.session
            if self.usage:
                self.spent.append(self.usage)
                self.session_usage = usage_of(total_usage([self.session_usage, self.usage]))
                self.usage = None

    async def _on_event(self, event: AgentEvent) -> None:
        self._note(event)
        if isinstance(event, QuestionRaised) and event.asks:
            await self._ask(event)
            return
        if isinstance(event, Contribution):
            event = event.model_copy(update={"text": plain(event.text)})
        await self.outbox.put(event)
        if isinstance(event, ApprovalRequested) and event.decision == DecisionState.ASKED:
            await self._ask(permission_question(event))

    async def _ask(self, question: QuestionRaised) -> None:
        """Ask people. Earlier events are flushed first, because the server logs the question itself."""
        assert self.agent is not None, "it asked"
        await self.outbox.flush()
        self._questions[question.key] = question
        session = self.agent.adapter.session
        try:
            known = await retry_until_reached(
                lambda: self.api.ask(
                    self.lease, question.key, question.asks, session, blocking=question.blocking
                )
            )
        except LeaseLost:
            self.lose()
            return
        except ServerRejected as error:
            self._end(AgentResult.failed(f"The question was refused: {error}"))
            return
        early = self._answers.pop(question.key, None)
        if early is None and known is not None:
            early = QuestionAnswer(id="", run=self.lease.run, key=question.key, answers=known)
        if early:
            self._answer(early)

    def _note(self, event: AgentEvent) -> None:
        """Record what the run's result needs from an event."""
        if isinstance(event, TokenUsage):
            self.usage = event
        elif isinstance(event, StatusChanged) and event.session:
            self.session = event.session
        elif isinstance(event, OutputText) and not event.agent:
            self._last_output = extend_output(self._last_output, event)

    async def _result(self, tree: Worktree, outcome: ProcessOutcome) -> FinishedWork:
        """Collect the work of the run, however it ended."""
        ended, summary = outcome.ended, plain(outcome.ended.summary)
        settled = Settled(tree=tree)
        try:
            if ended.ok and not summary:
                summary = summarize(await tree.commits(), self._last_output)
            if ended.code != RELEASED:
                title = title_of(summary) or f"Work of {self.lease.run}"
                settled = await tree.settle(
                    title, commit=not self.claim.keeps_files, author=self.claim.rules.commit_author
                )
                self.tree = tree = settled.tree
            diff = await tree.diff(self.claim.first_paths)
            commits, head = await tree.commits(), await tree.head()
        except (WorkspaceError, OSError) as error:
            self._broken = str(error)
            settled = replace(settled, warnings=(*settled.warnings, str(error)))
            diff, commits, head = Diff(), [], ""
        commits = [replace(commit, subject=plain(commit.subject)) for commit in commits]
        for text in settled.warnings:
            await self.outbox.put(AgentWarning(text=text, code="WORKSPACE_ERROR"))
        for commit in commits:
            await self.outbox.put(Contribution(sha=commit.sha, text=commit.subject))
        return FinishedWork(
            summary=summary or (NO_SUMMARY if ended.ok else ""),
            branch=tree.branch if self._keeps_branch(head) else "",
            head=head,
            outcome="CHANGES" if settled.committed else "AGENT_COMMITTED" if commits else "NO_CHANGES",
            diff=diff,
            commits=tuple(commits),
            session=self.session,
            exit_code=outcome.exit_code,
            metrics=total_usage(self.spent),
            session_usage=total_usage([self.session_usage]) if self.session else {},
            warnings=settled.warnings,
        )

    async def _follow_changes(self, tree: Worktree) -> None:
        """Report the changes in the folder while the agent works: when it said something, and they differ."""
        last, looked_at, pause = "", 0.0, SNAPSHOT_INTERVAL_SECONDS
        while True:
            await asyncio.sleep(pause)
            if self.agent is None or self.agent.last_sign_of_life <= looked_at:
                continue
            begun = looked_at = time.monotonic()
            try:
                if (now := await tree.snapshot()) != last:
                    await self.api.report_diff(
                        self.lease, tree.base, now, await tree.diff_to(now), final=False
                    )
                    last = now
            except LeaseLost:
                self.lose()
                return
            except (ServerUnreachable, ServerRejected, WorkspaceError, OSError) as error:
                log.info("run %s: its changes are not shown: %s", self.lease.run, error)
            # A repository that takes long to look at is looked at less often.
            pause = max(SNAPSHOT_INTERVAL_SECONDS, SNAPSHOT_PAUSE_FACTOR * (time.monotonic() - begun))

    async def _show_final(self, tree: Worktree, result: FinishedWork) -> None:
        """Report the changes of the commit. A refusal costs nothing but this report."""
        if not result.head or self._lost:
            return
        with suppress(ServerRejected, LeaseLost, ServerUnreachable):
            await self.api.report_diff(self.lease, tree.base, result.head, result.diff, final=True)

    async def _check(self, tree: Worktree, result: FinishedWork) -> None:
        """Run the required checks on the committed work, report each as it ends, and restore the folder."""
        if not self.claim.checks or not result.head:
            return
        try:
            was_clean = await tree.is_clean()
            self._checks = CheckRunner(tree.folder, held=(tree.lock,))
            if self._ended:
                self._checks.stop(self._ended.reason)
            for check in self.claim.checks:
                [done] = await self._checks.run([check])
                await retry_until_reached(
                    lambda done=done: self.api.report_checks(self.lease, result.head, [done])  # type: ignore[misc]
                )
            if was_clean:
                await tree.restore(result.head)
        except LeaseLost:
            self.lose()
        except (ServerRejected, WorkspaceError, OSError) as error:
            await self.outbox.put(AgentWarning(text=f"Checks: {error}", code="CHECKS"))
        finally:
            self._checks = None

    def _keeps_branch(self, head: str) -> bool:
        """Return whether the branch existed before the run, or has a commit of the run."""
        return bool(self.claim.branch) or self.tree is None or head != self.tree.base

    async def _finish(self, outcome: ProcessOutcome, result: FinishedWork | None) -> None:
        self.finishing = True
        log.info("run %s: %s", self.lease.run, outcome.ended.reason or "completed")
        try:
            is_kept = await report_end(
                lambda ended, left: retry_until_reached(lambda: self._report_end(ended, left)),
                outcome.ended,
                result,
            )
        except (LeaseLost, ServerRejected):
            self.lose()
            return
        if self.tree and is_kept and outcome.ended.code != RELEASED:
            finished = outcome.ended.ok or outcome.ended.code == CANCELLED
            await self._remove(self.tree, finished=finished)

    async def _remove(self, tree: Worktree, *, finished: bool) -> None:
        """Remove the worktree: the server has the result, and the branch has the work."""
        if failed := await self._hook(tree, "before_remove"):
            log.warning("run %s: %s", self.lease.run, failed)
        try:
            await tree.remove(finished=finished, keep_branch=bool(self.claim.branch))
        except (WorkspaceError, OSError) as error:
            log.warning("run %s: its folder is kept: %s", self.lease.run, error)

    async def _report_end(self, ended: AgentResult, result: FinishedWork | None) -> None:
        if ended.ok and result:
            await self.api.complete(self.lease, result)
        elif ended.code == RELEASED:
            await self.api.release(self.lease, ended.reason, self.session)
        elif ended.code == CANCELLED:
            await self.api.stopped(self.lease, result)
        else:
            failure = Failure(code=ended.code, reason=ended.reason, retryable=ended.retryable, result=result)
            await self.api.fail(self.lease, failure)

    async def _post(self) -> None:
        try:
            await self.outbox.run()
        except LeaseLost:
            self.lose()
        except ServerRejected as error:
            self.outbox.drop()
            self._end(AgentResult.failed(f"The server refused the agent's events: {error}"))

    async def _acknowledge(self, command: WorkerCommand) -> None:
        with suppress(LeaseLost, ServerUnreachable, ServerRejected):
            await self.api.acknowledge(self.lease, command.id)

    def lose(self) -> None:
        """Stop the program and report nothing more, because the lease is lost."""
        log.warning("run %s: the lease of attempt %d is lost", self.lease.run, self.lease.attempt)
        self._lost = True
        self.outbox.drop()
        self._end(AgentResult.failed("The lease is lost", "LEASE_EXPIRED"))

    def _spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
