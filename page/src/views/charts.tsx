// Charts of a workspace, each with its table: the queue, the workers, where the cards stand.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

import { follow, request } from '../api/client';
import {
  QueueFeedDocument,
  WorkersAndQueueDocument,
  type QueueFragment,
  type Stage,
  type WorkersAndQueueQuery,
} from '../api/generated';
import { workspaces } from '../state/home';
import { words } from '../ui/people';
import { Ago } from '../ui/time';

const STAGES: Stage[] = ['BACKLOG', 'PLAN', 'TODO', 'IN_PROGRESS', 'REVIEW', 'DONE'];
const MAX_POINTS = 120; // of the depth of the queue, one a second at most

type Counts = readonly { stage: Stage; count: number }[];

interface Point {
  queued: number;
  active: number;
  waiting: number;
}

const sumOf = (queue: QueueFragment): Point => {
  const sum = { queued: 0, active: 0, waiting: 0 };
  for (const board of queue.boards) {
    sum.queued += board.queued + board.delayed;
    sum.active += board.active;
    sum.waiting += board.waiting;
  }
  return sum;
};

export function Charts() {
  const shown = workspaces.value.filter(({ boards }) => boards.nodes.length);
  return (
    <div class="page charts">
      {shown.map(({ id, name }) => (
        <WorkspaceCharts key={id} id={id} name={name} />
      ))}
    </div>
  );
}

function WorkspaceCharts({ id, name }: { id: string; name: string }) {
  const queue = useSignal<QueueFragment | null>(null);
  const workers = useSignal<WorkersAndQueueQuery['workers']>([]);
  const points = useSignal<readonly Point[]>([]);
  useEffect(() => {
    let stop = () => {};
    let closed = false;
    const look = async () => {
      const answer = await request(WorkersAndQueueDocument, { id });
      workers.value = answer.workers;
      queue.value ??= answer.queue ?? null;
    };
    const listen = () => {
      stop = follow(QueueFeedDocument, { id } as { id: string; after?: string }, {
        next: ({ queueFeed }) => {
          queue.value = queueFeed;
          points.value = [...points.value, sumOf(queueFeed)].slice(-MAX_POINTS);
          void look().catch(() => {});
        },
        ended: () => setTimeout(() => !closed && listen(), 2_000),
      });
    };
    void look().catch(() => {});
    listen();
    return () => {
      closed = true;
      stop();
    };
  }, [id]);
  if (!queue.value) return null;
  const boards = queue.value.boards;
  return (
    <section class="chart-group" aria-labelledby={`charts-${id}`}>
      <h2 id={`charts-${id}`}>{name}</h2>
      <div class="chart-grid">
        <figure class="panel">
          <figcaption>Queue, as it changes</figcaption>
          <Depth points={points.value} />
          <Table
            head={['Board', 'Queued', 'At work', 'Waiting', 'Failed']}
            rows={boards.map((it) => [it.board?.name, it.queued + it.delayed, it.active, it.waiting, it.dead])}
          />
        </figure>
        <figure class="panel">
          <figcaption>Where the cards stand</figcaption>
          {boards.map((it) => (
            <StageBar key={it.boardId} name={it.board?.name ?? ''} counts={it.board?.cardCounts ?? []} />
          ))}
          <Table
            head={['Board', ...STAGES.map(words)]}
            rows={boards.map((it) => [it.board?.name, ...STAGES.map((stage) => countOf(it.board?.cardCounts, stage))])}
          />
        </figure>
        <figure class="panel">
          <figcaption>Workers</figcaption>
          <Table
            head={['Worker', 'Status', 'Runs', 'Heard']}
            rows={workers.value.map((it) => [
              it.name,
              <span class={`worker worker-${it.status.toLowerCase()}`}>
                <span class="agent-dot" aria-hidden="true" />
                {words(it.status)}
              </span>,
              `${it.held} / ${it.maxConcurrent}`,
              <Ago at={it.heardAt} />,
            ])}
          />
          {workers.value.length === 0 && <p class="calm">No worker is registered.</p>}
        </figure>
      </div>
    </section>
  );
}

const countOf = (counts: Counts | undefined, stage: Stage): number =>
  counts?.find((it) => it.stage === stage)?.count ?? 0;

/** The figures of a chart. The first cell of a row names it. */
const Table = ({ head, rows }: { head: readonly string[]; rows: readonly ComponentChildren[][] }) => (
  <table>
    <thead>
      <tr>
        {head.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>
      {rows.map(([name, ...cells], row) => (
        <tr key={row}>
          <th scope="row">{name}</th>
          {cells.map((cell, at) => (
            <td key={at}>{cell}</td>
          ))}
        </tr>
      ))}
    </tbody>
  </table>
);

/** Lines of the last minutes. The table below has the figures of now. */
function Depth({ points }: { points: readonly Point[] }) {
  const top = Math.max(4, ...points.map((it) => Math.max(it.queued, it.active, it.waiting)));
  const line = (name: keyof Point) =>
    points
      .map((it, at) => `${at ? 'L' : 'M'}${(at * 600) / Math.max(1, points.length - 1)} ${130 - (it[name] * 120) / top}`)
      .join('');
  return (
    <>
      <svg class="depth" viewBox="0 0 600 140" preserveAspectRatio="none" role="img" aria-label="Depth of the queue">
        {[0, 0.5, 1].map((part) => (
          <path key={part} class="grid-line" d={`M0 ${130 - 120 * part}H600`} />
        ))}
        <path class="line-waiting" d={line('waiting')} />
        <path class="line-queued" d={line('queued')} />
        <path class="line-active" d={line('active')} />
      </svg>
      <p class="legend">
        <span class="is-active">At work</span>
        <span class="is-queued">Queued</span>
        <span class="is-waiting">Waiting for an answer</span>
      </p>
    </>
  );
}

function StageBar({ name, counts }: { name: string; counts: Counts }) {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  if (!total) return null;
  return (
    <div class="stage-bar">
      <span>{name}</span>
      <div role="img" aria-label={counts.map(({ stage, count }) => `${words(stage)} ${count}`).join(', ')}>
        {STAGES.map((stage) => {
          const count = countOf(counts, stage);
          return count ? (
            <span key={stage} class={`stage-${stage.toLowerCase()}`} style={{ flexGrow: count }} title={`${words(stage)} ${count}`}>
              {count}
            </span>
          ) : null;
        })}
      </div>
    </div>
  );
}
