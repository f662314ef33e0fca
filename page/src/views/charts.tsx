// Charts of a workspace, each with its table: the queue, the workers, where the cards stand.

import { useSignal } from '@preact/signals';
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
          <table>
            <thead>
              <tr>
                <th>Board</th>
                <th>Queued</th>
                <th>At work</th>
                <th>Waiting</th>
                <th>Failed</th>
              </tr>
            </thead>
            <tbody>
              {boards.map((it) => (
                <tr key={it.boardId}>
                  <th>{it.board?.name}</th>
                  <td>{it.queued + it.delayed}</td>
                  <td>{it.active}</td>
                  <td>{it.waiting}</td>
                  <td>{it.dead}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </figure>
        <figure class="panel">
          <figcaption>Where the cards stand</figcaption>
          {boards.map((it) => (
            <StageBar key={it.boardId} name={it.board?.name ?? ''} counts={it.board?.cardCounts ?? []} />
          ))}
          <table>
            <thead>
              <tr>
                <th>Board</th>
                {STAGES.map((stage) => (
                  <th key={stage}>{words(stage)}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {boards.map((it) => (
                <tr key={it.boardId}>
                  <th>{it.board?.name}</th>
                  {STAGES.map((stage) => (
                    <td key={stage}>{it.board?.cardCounts.find((count) => count.stage === stage)?.count ?? 0}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </figure>
        <figure class="panel">
          <figcaption>Workers</figcaption>
          <table>
            <thead>
              <tr>
                <th>Worker</th>
                <th>Status</th>
                <th>Runs</th>
                <th>Heard</th>
              </tr>
            </thead>
            <tbody>
              {workers.value.map((it) => (
                <tr key={it.id}>
                  <th>{it.name}</th>
                  <td>
                    <span class={`worker worker-${it.status.toLowerCase()}`}>
                      <span class="agent-dot" aria-hidden="true" />
                      {words(it.status)}
                    </span>
                  </td>
                  <td>
                    {it.held} / {it.maxConcurrent}
                  </td>
                  <td>
                    <Ago at={it.heardAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {workers.value.length === 0 && <p class="calm">No worker is registered.</p>}
        </figure>
      </div>
    </section>
  );
}

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

function StageBar({ name, counts }: { name: string; counts: readonly { stage: Stage; count: number }[] }) {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  if (!total) return null;
  return (
    <div class="stage-bar">
      <span>{name}</span>
      <div role="img" aria-label={counts.map(({ stage, count }) => `${words(stage)} ${count}`).join(', ')}>
        {STAGES.map((stage) => {
          const count = counts.find((it) => it.stage === stage)?.count ?? 0;
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
