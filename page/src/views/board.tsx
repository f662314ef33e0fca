// The board: columns of cards that move by themselves, and by hand.

import { useComputed, useSignal } from '@preact/signals';
import { memo } from 'preact/compat';
import { useEffect, useRef } from 'preact/hooks';

import * as filter from '../state/filter';
import type { Board, Card, Column } from '../state/board';
import { cardId, href } from '../state/route';
import { Hidden, Icon, PriorityIcon, Ring, StageIcon } from '../ui/icons';
import { AgentLine, Avatar, LabelChip, words } from '../ui/people';
import { aimBy, allows, announcement, cancel, drop, lift, lifted, moves, press } from './drag';
import { FilterBar } from './filterbar';

const FIRST_CARDS = 14; // drawn at once in each column, the others as one scrolls towards them
const MORE_CARDS = 20;
const QUIET_STATES = new Set(['IDLE', 'SUCCEEDED', 'CANCELLED']);

export function BoardView({ board }: { board: Board }) {
  const facts = board.facts.value;
  if (!facts) return board.failure.value ? <p class="page calm">{board.failure.value}</p> : <Skeleton />;
  return (
    <section class="board" aria-label={facts.name}>
      <FilterBar board={board} />
      {board.failure.value && <p class="notice">{board.failure.value}</p>}
      <p id="card-help" class="hidden">
        Enter opens the card. Space lifts it: the arrow keys choose a place, Space drops it, Escape puts it back.
      </p>
      <div class="columns" onKeyDown={(event) => onKey(board, event)}>
        {board.columns.value.map((column) => (
          <ColumnView key={column.id} board={board} column={column} />
        ))}
      </div>
      <p class="hidden" role="status">
        {announcement}
      </p>
    </section>
  );
}

const Skeleton = () => (
  <div class="columns skeleton" aria-busy="true">
    {[5, 3, 4, 2, 3].map((cards, column) => (
      <div key={column} class="column">
        <div class="column-head" />
        <div class="cards">
          {Array.from({ length: cards }, (_, card) => (
            <div key={card} class="card" />
          ))}
        </div>
      </div>
    ))}
  </div>
);

function ColumnView({ board, column }: { board: Board; column: Column }) {
  const limit = useSignal(FIRST_CARDS);
  const isAdding = useSignal(false);
  const end = useRef<HTMLLIElement>(null);
  const ids = board.lanes.value.get(column.id)?.value ?? [];
  const shown = filter.isFiltered.value ? ids.filter((id) => filter.matches(board.cards.get(id)!.value)) : ids;
  const drawn = shown.slice(0, limit.value);
  const target = useComputed(() => (lifted.value?.over?.columnId === column.id ? lifted.value.over.after : undefined));
  const light = useComputed(() => {
    if (!lifted.value || !moves.value) return '';
    return allows(column.stage, column.id) ? 'is-allowed' : 'is-forbidden';
  });
  const full = column.wipLimit !== null && column.wipLimit !== undefined && ids.length >= column.wipLimit;

  const hasMore = drawn.length < shown.length;
  useEffect(() => {
    if (!hasMore || !end.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) limit.value += MORE_CARDS;
      },
      { rootMargin: '600px' },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [hasMore, limit.value]);

  return (
    <section class={`column ${light.value}`} data-column={column.id} aria-labelledby={`head-${column.id}`}>
      <header class="column-head">
        <StageIcon stage={column.stage} />
        <h2 id={`head-${column.id}`}>{column.name}</h2>
        <span class={`count ${full ? 'is-full' : ''}`}>
          {filter.isFiltered.value ? `${shown.length} of ${ids.length}` : ids.length}
          {column.wipLimit != null && <span class="limit"> / {column.wipLimit}</span>}
          <Hidden>{column.wipLimit != null ? ` cards, at most ${column.wipLimit}` : ' cards'}</Hidden>
        </span>
        {board.mayWrite.value && (
          <button class="quiet add" aria-label={`Add a card to ${column.name}`} onClick={() => (isAdding.value = true)}>
            <Icon name="plus" />
          </button>
        )}
      </header>
      {light.value === 'is-forbidden' && (
        <p class="why">{moves.value?.get(column.stage)?.reasons[0]?.message ?? 'Not allowed from here.'}</p>
      )}
      <ul class="cards" tabIndex={-1}>
        {isAdding.value && <NewCard board={board} column={column} close={() => (isAdding.value = false)} />}
        {target.value === null && <Line />}
        {drawn.map((id) => (
          <CardSlot key={id} board={board} id={id} isTarget={target.value === id} />
        ))}
        {hasMore && (
          <li ref={end} class="more">
            {shown.length - drawn.length} more
          </li>
        )}
        {shown.length === 0 && !isAdding.value && target.value === undefined && <li class="none">No cards</li>}
      </ul>
    </section>
  );
}

const Line = () => <li class="line" role="presentation" />;

function NewCard({ board, column, close }: { board: Board; column: Column; close: () => void }) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const title = (new FormData(form).get('title') as string).trim();
    if (!title) return close();
    if (await board.create(column.id, title)) form.reset();
  };
  return (
    <li>
      <form class="card new-card" onSubmit={submit} onKeyDown={(event) => event.key === 'Escape' && close()}>
        <input
          name="title"
          aria-label={`Title of a new card in ${column.name}`}
          placeholder="Title, then Enter"
          maxLength={255}
          autoComplete="off"
          ref={(input) => input?.focus()}
          onBlur={(event) => !event.currentTarget.value.trim() && close()}
        />
      </form>
    </li>
  );
}

const CardSlot = memo(function CardSlot({ board, id, isTarget }: { board: Board; id: string; isTarget: boolean }) {
  const card = board.cards.get(id);
  const isLifted = useComputed(() => lifted.value?.id === id);
  const isOpen = useComputed(() => cardId.value === id);
  if (!card) return null;
  return (
    <>
      <li
        class={`card ${isLifted.value ? 'is-lifted' : ''} ${isOpen.value ? 'is-open' : ''}`}
        data-card={id}
        onPointerDown={(event) => press(board, id, event)}
        onDragStart={(event) => event.preventDefault()}
      >
        <CardFace board={board} card={card.value} />
      </li>
      {isTarget && <Line />}
    </>
  );
});

function CardFace({ board, card }: { board: Board; card: Card }) {
  const { done, total } = card.subtaskCount;
  const asks = card.openQuestions.length > 0;
  const progress = card.activeRun?.progress;
  const hasAgent = !QUIET_STATES.has(card.agentState) || card.activeRun;
  return (
    <a href={href('boards', board.id, card.id)} aria-describedby="card-help" draggable={false}>
      <span class="card-top">
        <span class="card-name">{card.name}</span>
        {card.parent && <span class="card-parent">{card.parent.title}</span>}
        <span class="people">
          {card.assignees.map((person) => (
            <Avatar key={person.id} person={person} />
          ))}
        </span>
      </span>
      <span class="card-title">{card.title}</span>
      <span class="card-meta">
        <span class="priority-chip" title={`${words(card.priority)} priority`}>
          <PriorityIcon priority={card.priority} />
          <Hidden>{words(card.priority)} priority</Hidden>
        </span>
        {card.labels.map((label) => (
          <LabelChip key={label.id} label={label} />
        ))}
        {total > 0 && (
          <span class={`chip ${done === total ? 'is-done' : ''}`}>
            <Ring done={done} total={total} />
            {done}/{total}
            <Hidden> subtasks done</Hidden>
          </span>
        )}
        {card.dueOn && (
          <span class={`chip ${card.overdue ? 'is-late' : ''}`}>
            <Icon name="calendar" size={13} />
            {shortDay(card.dueOn)}
            {card.overdue && <Hidden> overdue</Hidden>}
          </span>
        )}
        {card.messageCount > 0 && (
          <span class="chip">
            <Icon name="comment" size={13} />
            {card.messageCount}
            <Hidden> messages</Hidden>
          </span>
        )}
      </span>
      {(hasAgent || asks) && (
        <AgentLine state={asks ? 'WAITING_INPUT' : card.agentState} activity={card.agentActivity} />
      )}
      {progress?.todosTotal ? (
        <span class="bar" aria-hidden="true">
          <span style={{ inlineSize: `${(100 * (progress.todosDone ?? 0)) / progress.todosTotal}%` }} />
        </span>
      ) : null}
    </a>
  );
}

const shortDay = (day: string): string =>
  new Date(`${day}T00:00`).toLocaleDateString(undefined, { month: 'short', day: 'numeric' });

const cardOf = (element: EventTarget | null): HTMLElement | null =>
  element instanceof Element ? element.closest<HTMLElement>('[data-card]') : null;

const focusOn = (card: Element | null | undefined): void => card?.querySelector('a')?.focus();

/** Arrow keys walk over the cards; Space lifts one, and then they move it. */
function onKey(board: Board, event: KeyboardEvent): void {
  const card = cardOf(event.target);
  if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
  const id = card.dataset['card']!;
  const isShown = (other: string) => !filter.isFiltered.peek() || filter.matches(board.cards.get(other)!.peek());
  if (lifted.peek()?.by === 'keyboard') {
    if (event.key === 'Escape' || event.key === 'Tab') cancel();
    else if (event.key === ' ' || event.key === 'Enter') void drop(board).then(() => refocus(id));
    else if (event.key.startsWith('Arrow')) aimBy(board, event.key, isShown);
    else return;
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  if (event.key === ' ' && board.mayWrite.peek()) {
    lift(board, id, 'keyboard');
    announcement.value = `${lifted.peek()?.name} is lifted.`;
  } else if (event.key === 'ArrowDown' || event.key === 'j') focusOn(sibling(card, 1));
  else if (event.key === 'ArrowUp' || event.key === 'k') focusOn(sibling(card, -1));
  else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
    const forward = (event.key === 'ArrowRight') !== (document.dir === 'rtl');
    focusOn(neighbour(card, forward));
  } else return;
  event.preventDefault();
}

const refocus = (id: string): void => {
  requestAnimationFrame(() => focusOn(document.querySelector(`[data-card="${id}"]`)));
};

function sibling(card: HTMLElement, step: 1 | -1): Element | null {
  const cards = [...card.parentElement!.querySelectorAll('[data-card]')];
  return cards[cards.indexOf(card) + step] ?? null;
}

/** The card at the same height in the next column that has one. */
function neighbour(card: HTMLElement, forward: boolean): Element | null {
  const columns = [...document.querySelectorAll('[data-column]')];
  const top = card.getBoundingClientRect().top;
  let at = columns.indexOf(card.closest('[data-column]')!);
  while (columns[(at += forward ? 1 : -1)]) {
    const cards = [...columns[at]!.querySelectorAll('[data-card]')];
    if (cards.length) return cards.find((it) => it.getBoundingClientRect().bottom > top) ?? cards.at(-1)!;
  }
  return null;
}
