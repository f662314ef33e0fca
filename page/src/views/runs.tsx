// The runs of a card, and what a person may do with them.

import { useSignal } from '@preact/signals';

import {
  ChooseRunDocument,
  ConcludeRunDocument,
  RejectCardDocument,
  ResumeRunDocument,
  RetryRunDocument,
  StartRunDocument,
  StopRunDocument,
  type RunStatus,
} from '../api/generated';
import { act } from '../state/act';
import type { Board } from '../state/board';
import type { CardDetail, RunInList } from '../state/card';
import { href } from '../state/route';
import { Icon } from '../ui/icons';
import { words } from '../ui/people';
import { Ago, duration, now } from '../ui/time';

const FEW_RUNS = 3; // shown until one asks for the others
const ACTIVE = new Set<RunStatus>(['QUEUED', 'CLAIMED', 'RUNNING', 'WAITING']);

export const isActive = (run: { status: RunStatus }): boolean => ACTIVE.has(run.status);

export const RunDot = ({ status }: { status: RunStatus }) => (
  <span class={`run-status run-${status.toLowerCase()}`}>
    <span class="agent-dot" aria-hidden="true" />
    {words(status)}
  </span>
);

export function Runs({ board, card }: { board: Board; card: CardDetail }) {
  const isAll = useSignal(false);
  const runs = card.runs.nodes;
  const shown = isAll.value ? runs : runs.slice(0, FEW_RUNS);
  return (
    <section aria-labelledby="runs">
      <h3 id="runs">Runs</h3>
      {shown.map((run) => (
        <article key={run.id} class="run">
          <a href={href('boards', board.id, card.id, run.id)}>
            <RunDot status={run.status} />
            <span class="grow">
              {words(run.kind)}
              {run.profile && ` by ${run.profile.name}`}
            </span>
            {run.startedAt && (
              <span class="soft">
                {duration((run.finishedAt ? Date.parse(run.finishedAt) : now.value) - Date.parse(run.startedAt))}
              </span>
            )}
            <Ago at={run.createdAt} />
          </a>
          {(run.summary ?? run.failureReason) && <p class="run-summary">{run.summary ?? run.failureReason}</p>}
          {isActive(run) && run.whyNotRunning[0] && <p class="run-summary">{run.whyNotRunning[0].message}</p>}
          {board.mayWrite.value && (
            <RunActions run={run} chosen={card.chosenRun?.id} isChoice={card.stage === 'REVIEW' && runs.length > 1} />
          )}
        </article>
      ))}
      {shown.length < runs.length && (
        <button class="quiet" onClick={() => (isAll.value = true)}>
          {runs.length - shown.length} earlier runs
        </button>
      )}
      {board.mayWrite.value && <Start board={board} card={card} />}
    </section>
  );
}

interface Actions {
  run: RunInList;
  chosen?: string | undefined;
  /** Whether there are others to choose from. */
  isChoice: boolean;
}

export function RunActions({ run, chosen, isChoice }: Actions) {
  const { id, status } = run;
  const isOver = !isActive(run);
  const isBroken = status === 'FAILED' || status === 'CANCELLED';
  const isDecided = status === 'RUNNING' || run.waitReason === 'DECISION';
  const actions = [
    { name: 'Stop', icon: 'stop', document: StopRunDocument, when: !isOver && !run.stopRequestedAt },
    { name: 'Conclude', icon: 'check', document: ConcludeRunDocument, when: isDecided },
    { name: 'Resume', icon: 'play', document: ResumeRunDocument, when: isBroken },
    { name: 'Retry', icon: 'retry', document: RetryRunDocument, when: isOver },
    { name: 'Choose', icon: 'bolt', document: ChooseRunDocument, when: status === 'SUCCEEDED' && isChoice && chosen !== id },
  ] as const;
  return (
    <p class="actions">
      {actions
        .filter(({ when }) => when)
        .map(({ name, icon, document }) => (
          <button key={name} class="button" onClick={() => void act(`${name}: not done`, document, { id })}>
            <Icon name={icon} size={13} /> {name}
          </button>
        ))}
      {chosen === id && <span class="chip is-done">Chosen</span>}
    </p>
  );
}

/** Start a run; or send a card in review back with feedback, which the next run is given. */
function Start({ board, card }: { board: Board; card: CardDetail }) {
  const text = useSignal('');
  const profiles = useSignal<ReadonlySet<string>>(new Set());
  const isReview = card.stage === 'REVIEW';
  const available = board.facts.value?.workspace?.agentProfiles.filter(({ enabled }) => enabled) ?? [];
  const given = text.value.trim();
  const start = async () => {
    const profileIds = profiles.value.size ? [...profiles.value] : null;
    const input = { cardId: card.id, instruction: given || null, profileIds };
    if (await act('The run was not started', StartRunDocument, { input }, 'A run is queued')) text.value = '';
  };
  const reject = async () => {
    const done = `${card.name} goes back with your feedback`;
    if (await act('The card was not sent back', RejectCardDocument, { id: card.id, feedback: given }, done))
      text.value = '';
  };
  return (
    <form class="comment" onSubmit={(event) => event.preventDefault()}>
      <textarea
        aria-label={isReview ? 'Feedback, or an instruction' : 'An instruction for the agent'}
        placeholder={isReview ? 'Feedback for the agent …' : 'An instruction for the agent, if the card is not enough …'}
        rows={2}
        dir="auto"
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      {available.length > 1 && (
        <p class="actions" role="group" aria-label="Agents">
          {available.map(({ id, name }) => (
            <button
              key={id}
              type="button"
              class="pill"
              aria-pressed={profiles.value.has(id)}
              onClick={() => {
                const next = new Set(profiles.value);
                if (!next.delete(id)) next.add(id);
                profiles.value = next;
              }}
            >
              {name}
            </button>
          ))}
        </p>
      )}
      <p class="actions">
        {isReview && (
          <button class="button" disabled={!given} onClick={() => void reject()}>
            Reject with feedback
          </button>
        )}
        <button class="button" onClick={() => void start()}>
          <Icon name="play" size={13} /> Start a run
        </button>
      </p>
    </form>
  );
}
