// Moving a card by mouse, touch or keyboard: the same three steps for each. `lift` asks the server where the card may
// go, `aim` shows the place, `drop` moves it.

import { batch, signal } from '@preact/signals';

import { request } from '../api/client';
import { MovesDocument, type MovesQuery, type Stage } from '../api/generated';
import type { Board } from '../state/board';

const THRESHOLD_PIXELS = 4; // a press that moves less is a click
const HOLD_MILLISECONDS = 220; // a touch that rests this long lifts the card; a shorter one scrolls
const EDGE_PIXELS = 56; // near an edge the list scrolls
const MAX_SCROLL_PIXELS = 14; // each frame

export interface Place {
  columnId: string;
  /** The card that stands before it; null: the top. */
  after: string | null;
}

export interface Lifted {
  id: string;
  name: string;
  by: 'pointer' | 'keyboard';
  from: Place;
  over: Place | null;
}

type Move = NonNullable<MovesQuery['card']>['moves'][number];

export const lifted = signal<Lifted | null>(null);
/** For each stage whether the lifted card may go there; null until the server has answered. */
export const moves = signal<ReadonlyMap<Stage, Move> | null>(null);
/** Read aloud by screen readers. */
export const announcement = signal('');

export function lift(board: Board, id: string, by: Lifted['by']): void {
  const card = board.cards.get(id)?.peek();
  if (!card) return;
  const lane = board.lanes.peek().get(card.columnId)?.peek() ?? [];
  const from = { columnId: card.columnId, after: lane[lane.indexOf(id) - 1] ?? null };
  batch(() => {
    moves.value = null;
    lifted.value = { id, name: card.name, by, from, over: by === 'keyboard' ? from : null };
  });
  request(MovesDocument, { id })
    .then(({ card: answer }) => {
      if (lifted.peek()?.id === id && answer) moves.value = new Map(answer.moves.map((move) => [move.stage, move]));
    })
    .catch(() => {}); // unknown is not forbidden: the server judges the drop
}

export function aim(over: Place | null): void {
  const current = lifted.peek();
  if (!current) return;
  const same = current.over?.columnId === over?.columnId && current.over?.after === over?.after;
  if (!same) lifted.value = { ...current, over };
}

/** Whether a column takes the lifted card, as far as is known. */
export const allows = (stage: Stage, columnId: string): boolean =>
  columnId === lifted.value?.from.columnId || (moves.value?.get(stage)?.allowed ?? true);

export function cancel(): void {
  if (lifted.peek()) announcement.value = `${lifted.peek()!.name} was put back.`;
  lifted.value = null;
}

export async function drop(board: Board): Promise<void> {
  const current = lifted.peek();
  const column = board.columns.peek().find(({ id }) => id === current?.over?.columnId);
  if (!current?.over || !column) return cancel();
  const { id, name, over, from } = current;
  const known = allows(column.stage, column.id);
  lifted.value = null;
  if (over.columnId === from.columnId && (over.after === from.after || over.after === id)) return;
  if (await board.move(id, over.columnId, over.after, known)) announcement.value = `${name} is in ${column.name} now.`;
}

/** The place under a point of the window, by the cards that are drawn there. */
function placeAt(x: number, y: number, dragged: string): Place | null {
  const column = document.elementFromPoint(x, y)?.closest<HTMLElement>('[data-column]');
  if (!column) return null;
  let after: string | null = null;
  for (const card of column.querySelectorAll<HTMLElement>('[data-card]')) {
    const id = card.dataset['card']!;
    if (id === dragged) continue;
    const box = card.getBoundingClientRect();
    if (y < box.top + box.height / 2) break;
    after = id;
  }
  return { columnId: column.dataset['column']!, after };
}

function scrollTowards(x: number, y: number): void {
  const speed = (distance: number) => Math.ceil((1 - Math.max(0, distance) / EDGE_PIXELS) * MAX_SCROLL_PIXELS);
  const scroller = document.querySelector<HTMLElement>('.columns');
  if (scroller) {
    const box = scroller.getBoundingClientRect();
    if (x < box.left + EDGE_PIXELS) scroller.scrollLeft -= speed(x - box.left);
    else if (x > box.right - EDGE_PIXELS) scroller.scrollLeft += speed(box.right - x);
  }
  const list = document.elementFromPoint(x, y)?.closest('[data-column]')?.querySelector('.cards');
  if (list) {
    const box = list.getBoundingClientRect();
    if (y < box.top + EDGE_PIXELS) list.scrollTop -= speed(y - box.top);
    else if (y > box.bottom - EDGE_PIXELS) list.scrollTop += speed(box.bottom - y);
  }
}

/** Follow a press on a card until it is released. A click stays a click. */
export function press(board: Board, id: string, event: PointerEvent): void {
  if (event.button !== 0 || !event.isPrimary || lifted.peek() || !board.mayWrite.peek()) return;
  const card = event.currentTarget as HTMLElement;
  const isTouch = event.pointerType === 'touch';
  const box = card.getBoundingClientRect();
  const start = { x: event.clientX, y: event.clientY };
  let point = start;
  let ghost: HTMLElement | null = null;
  let frame = 0;

  const begin = () => {
    ghost = card.cloneNode(true) as HTMLElement;
    ghost.classList.add('ghost');
    ghost.setAttribute('aria-hidden', 'true');
    ghost.removeAttribute('data-card');
    ghost.style.inlineSize = `${box.width}px`;
    document.body.append(ghost);
    document.documentElement.classList.add('is-dragging');
    lift(board, id, 'pointer');
    frame = requestAnimationFrame(tick);
  };
  const tick = () => {
    ghost!.style.translate = `${box.left + point.x - start.x}px ${box.top + point.y - start.y}px`;
    scrollTowards(point.x, point.y);
    aim(placeAt(point.x, point.y, id));
    frame = requestAnimationFrame(tick);
  };
  const hold = isTouch ? setTimeout(begin, HOLD_MILLISECONDS) : undefined;

  const moved = (it: PointerEvent) => {
    if (it.pointerId !== event.pointerId) return;
    point = { x: it.clientX, y: it.clientY };
    if (ghost || Math.hypot(point.x - start.x, point.y - start.y) < THRESHOLD_PIXELS) return;
    if (isTouch) end();
    else begin();
  };
  const released = (it: PointerEvent) => {
    if (it.pointerId !== event.pointerId) return;
    const wasDrag = ghost !== null;
    point = { x: it.clientX, y: it.clientY };
    if (wasDrag) aim(placeAt(point.x, point.y, id));
    end();
    if (!wasDrag) return;
    addEventListener('click', swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener('click', swallow, { capture: true }));
    void drop(board);
  };
  const abandoned = () => {
    end();
    cancel();
  };
  const key = (it: KeyboardEvent) => it.key === 'Escape' && ghost && (it.stopPropagation(), abandoned());
  const scroll = (it: TouchEvent) => ghost && it.preventDefault(); // the finger moves the card, not the page

  const end = () => {
    clearTimeout(hold);
    cancelAnimationFrame(frame);
    ghost?.remove();
    ghost = null;
    document.documentElement.classList.remove('is-dragging');
    removeEventListener('pointermove', moved);
    removeEventListener('pointerup', released);
    removeEventListener('pointercancel', abandoned);
    removeEventListener('keydown', key, true);
    removeEventListener('touchmove', scroll);
  };
  addEventListener('pointermove', moved);
  addEventListener('pointerup', released);
  addEventListener('pointercancel', abandoned);
  addEventListener('keydown', key, true);
  addEventListener('touchmove', scroll, { passive: false });
}

const swallow = (event: Event) => {
  event.preventDefault();
  event.stopPropagation();
};

/** Move the lifted card's place by an arrow key: up and down in a column, left and right between columns. */
export function aimBy(board: Board, key: string, isShown: (id: string) => boolean): void {
  const current = lifted.peek();
  if (!current?.over) return;
  const columns = board.columns.peek();
  const at = columns.findIndex(({ id }) => id === current.over!.columnId);
  const laneOf = (columnId: string) =>
    (board.lanes.peek().get(columnId)?.peek() ?? []).filter((id) => id !== current.id && isShown(id));
  const lane = laneOf(current.over.columnId);
  const place = current.over.after === null ? 0 : lane.indexOf(current.over.after) + 1;
  const sideways = key === 'ArrowLeft' ? -1 : key === 'ArrowRight' ? 1 : 0;
  if (sideways) {
    const column = columns[at + (document.dir === 'rtl' ? -sideways : sideways)];
    if (column) aim({ columnId: column.id, after: laneOf(column.id)[place - 1] ?? laneOf(column.id).at(-1) ?? null });
    if (column && place === 0) aim({ columnId: column.id, after: null });
  } else {
    const next = Math.min(lane.length, Math.max(0, place + (key === 'ArrowDown' ? 1 : -1)));
    aim({ columnId: current.over.columnId, after: next === 0 ? null : lane[next - 1]! });
  }
  const over = lifted.peek()!.over!;
  const column = columns.find(({ id }) => id === over.columnId)!;
  const number = over.after === null ? 1 : laneOf(over.columnId).indexOf(over.after) + 2;
  const why = moves.peek()?.get(column.stage);
  const refused = column.id !== current.from.columnId && why && !why.allowed;
  announcement.value = `${column.name}, place ${number}.${refused ? ` Not allowed: ${why.reasons[0]?.message ?? ''}` : ''}`;
}
