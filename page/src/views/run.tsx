// A run: its log as a transcript, what it costs, what it changed; live, or replayed at a speed.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';

import type { TodoState } from '../api/generated';
import type { Board } from '../state/board';
import { OpenRun, type Entry, type Run } from '../state/run';
import { href } from '../state/route';
import { Icon, type IconName } from '../ui/icons';
import { Markdown } from '../ui/markdown';
import { words } from '../ui/people';
import { Ago, duration, now } from '../ui/time';
import { VirtualList } from '../ui/virtual';
import { Patch } from './patch';
import { QuestionForm } from './question';
import { isActive, RunActions, RunDot } from './runs';

const SPEEDS = [1, 5, 20, 100];
const TODO_SIGNS: Record<TodoState, string> = { DONE: '✓', IN_PROGRESS: '◐', PENDING: '○', CANCELLED: '×' };

export function RunView({ board, id }: { board: Board; id: string }) {
  const run = useMemo(() => new OpenRun(id), [id]);
  const shown = useSignal<'log' | 'changes'>('log');
  useEffect(() => () => run.close(), [run]);
  // What happens to the run on the board is a sign to read its facts again.
  const { id: touched, count, type } = board.touched.value;
  const cardId = run.facts.value?.card?.id;
  useEffect(() => {
    if (touched === cardId && type !== 'RunProgressed') void run.load();
  }, [touched === cardId && count]);

  const facts = run.facts.value;
  if (!facts) return <p class="page calm">{run.failure.value ?? 'Reading the run …'}</p>;
  return (
    <section class="run-view" aria-label="Run">
      <Head board={board} run={run} facts={facts} shown={shown.value} show={(it) => (shown.value = it)} />
      <div class="run-columns">
        {shown.value === 'log' ? <Log run={run} /> : <Patch text={facts.patch ?? ''} files={facts.changed} />}
        <Aside board={board} run={run} facts={facts} />
      </div>
    </section>
  );
}

interface Parts {
  board: Board;
  run: OpenRun;
  facts: Run;
}

function Head({ board, run, facts, shown, show }: Parts & { shown: string; show: (it: 'log' | 'changes') => void }) {
  return (
    <header class="run-head">
      <a class="quiet" href={href('boards', board.id, facts.card?.id)} aria-label="Back to the card">
        <Icon name="chevron" />
      </a>
      <div class="grow">
        <h2>
          <span class="card-name">{facts.card?.name}</span> {facts.card?.title}
        </h2>
      </div>
      <RunDot status={facts.status} />
      <div class="tabs" role="group" aria-label="Show">
        <button class="pill" aria-pressed={shown === 'log'} onClick={() => show('log')}>
          Log
        </button>
        <button class="pill" aria-pressed={shown === 'changes'} onClick={() => show('changes')}>
          Changes{facts.changed.length > 0 && ` ${facts.changed.length}`}
        </button>
      </div>
      {!isActive(facts) && (
        <div class="tabs" role="group" aria-label="Replay">
          <Icon name="play" />
          {SPEEDS.map((speed) => (
            <button
              key={speed}
              class="pill"
              aria-pressed={run.speed.value === speed}
              aria-label={`Replay ${speed} times as fast`}
              onClick={() => run.replay(run.speed.value === speed ? null : speed)}
            >
              {speed}×
            </button>
          ))}
        </div>
      )}
    </header>
  );
}

function Log({ run }: { run: OpenRun }) {
  const isThinkingOpen = useSignal<ReadonlySet<string>>(new Set());
  void run.changed.value;
  const { entries } = run;
  const toggle = (key: string) => {
    const next = new Set(isThinkingOpen.value);
    if (!next.delete(key)) next.add(key);
    isThinkingOpen.value = next;
  };
  if (!entries.length) return <p class="virtual calm">{run.isOver.value ? 'The log is empty.' : 'Nothing yet.'}</p>;
  return (
    <VirtualList
      label="Log"
      count={entries.length}
      estimate={52}
      keyOf={(at) => entries[at]!.key}
      row={(at) => <EntryView entry={entries[at]!} isOpen={isThinkingOpen.value.has(entries[at]!.key)} toggle={toggle} />}
    />
  );
}

interface EntryProps {
  entry: Entry;
  isOpen: boolean;
  toggle: (key: string) => void;
}

const NOTE_ICONS: Partial<Record<Entry['kind'], IconName>> = { note: 'bolt', warning: 'bell', error: 'close', end: 'check' };

function EntryView({ entry, isOpen, toggle }: EntryProps) {
  const { kind, text, agent } = entry;
  return (
    <article class={`entry entry-${kind} ${agent ? 'is-nested' : ''}`}>
      {agent && <span class="entry-agent">{agent}</span>}
      {kind === 'text' || kind === 'prompt' ? (
        <Markdown text={text} />
      ) : kind === 'thinking' ? (
        <Fold title="Thought" hint={text.slice(0, 120)} isOpen={isOpen} toggle={() => toggle(entry.key)}>
          {isOpen && <Markdown text={text} />}
        </Fold>
      ) : entry.tool ? (
        <ToolView entry={entry} isOpen={isOpen} toggle={toggle} />
      ) : (
        <p class="note">
          <Icon name={NOTE_ICONS[kind] ?? 'bolt'} size={13} />
          <span dir="auto">{text}</span>
        </p>
      )}
    </article>
  );
}

interface FoldProps {
  title: ComponentChildren;
  hint?: string;
  end?: ComponentChildren;
  isOpen: boolean;
  toggle: () => void;
  children: ComponentChildren;
}

const Fold = ({ title, hint, end, isOpen, toggle, children }: FoldProps) => (
  <>
    <button class="fold" aria-expanded={isOpen} onClick={toggle}>
      <Icon name="chevron" size={13} />
      <span class="fold-title">{title}</span>
      <span class="grow soft">{hint}</span>
      {end}
    </button>
    {children}
  </>
);

/** The one line that says what a tool was called with. */
function gist(input: unknown, text: string): string {
  if (input && typeof input === 'object') {
    const given = input as Record<string, unknown>;
    for (const name of ['command', 'file_path', 'path', 'pattern', 'query', 'url', 'description', 'prompt']) {
      if (typeof given[name] === 'string') return given[name];
    }
  }
  return text;
}

function ToolView({ entry, isOpen, toggle }: EntryProps) {
  const tool = entry.tool!;
  const isRunning = tool.status === null;
  const took = (tool.endedAt ? Date.parse(tool.endedAt) : isRunning ? now.value : 0) - Date.parse(entry.at);
  const lines = tool.output.split('\n');
  return (
    <div class={`tool tool-${(tool.status ?? 'running').toLowerCase()}`}>
      <Fold
        title={tool.name}
        hint={gist(tool.input, entry.text)}
        isOpen={isOpen}
        toggle={() => toggle(entry.key)}
        end={
          <span class="tool-end">
            <span class="agent-dot" aria-hidden="true" />
            {isRunning ? 'runs' : words(tool.status!)} {took > 0 && duration(took)}
          </span>
        }
      >
        {isOpen && tool.input != null && <pre tabIndex={0}>{JSON.stringify(tool.input, null, 2)}</pre>}
        {tool.output && <pre tabIndex={0}>{isOpen ? tool.output : lines.slice(-4).join('\n')}</pre>}
      </Fold>
    </div>
  );
}

function Aside({ board, run, facts }: Parts) {
  const totals = run.totals.value;
  const number = (value: number) => value.toLocaleString();
  const begun = facts.startedAt && Date.parse(facts.startedAt);
  const until = facts.finishedAt ? Date.parse(facts.finishedAt) : now.value;
  const context = totals.contextWindow && Math.round((100 * (totals.contextUsed ?? 0)) / totals.contextWindow);
  const figures = [
    ['Time', begun && duration(until - begun)],
    ['Tokens in', number(totals.inputTokens)],
    ['Tokens out', number(totals.outputTokens)],
    ['From cache', totals.cachedTokens && number(totals.cachedTokens)],
    ['Cost', totals.costUsd && `$${totals.costUsd.toFixed(3)}`],
    ['Context', context && `${context}%`],
    ['Model', totals.model],
    ['Branch', facts.branch],
    ['Worker', facts.worker?.name],
    ['Attempt', facts.attempt],
  ].filter(([, value]) => value);
  return (
    <aside class="run-aside" aria-label="About the run">
      {board.mayWrite.value && <RunActions run={facts} isChoice={facts.siblings.length > 0} />}
      {facts.questions
        .filter(({ status }) => status === 'OPEN')
        .map((question) => (
          <QuestionForm key={question.id} question={question} hasCard={false} />
        ))}
      {facts.whyNotRunning.map(({ message }) => (
        <p key={message} class="calm">
          {message}
        </p>
      ))}
      {(facts.summary ?? facts.failureReason) && (
        <section>
          <h3>{facts.summary ? 'Summary' : 'Failure'}</h3>
          <Markdown text={facts.summary ?? facts.failureReason!} />
        </section>
      )}
      {run.todos.value.length > 0 && (
        <section>
          <h3>Plan</h3>
          <ol class="todos">
            {run.todos.value.map(({ key, state, text }) => (
              <li key={key} class={`todo-${state.toLowerCase()}`}>
                <span aria-hidden="true">{TODO_SIGNS[state]}</span>
                <span dir="auto">{text}</span>
                <span class="hidden">{words(state)}</span>
              </li>
            ))}
          </ol>
        </section>
      )}
      <section>
        <h3>Figures</h3>
        <dl class="figures">
          {figures.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      {facts.warnings.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
      {facts.siblings.length > 0 && (
        <section>
          <h3>Beside it</h3>
          <ul class="list">
            {facts.siblings.map((it) => (
              <li key={it.id}>
                <a href={href('boards', board.id, facts.card?.id, it.id)}>
                  <RunDot status={it.status} />
                  <span class="grow">{it.profile?.name ?? words(it.kind)}</span>
                  <Ago at={it.createdAt} />
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
    </aside>
  );
}
