// One board, as it is now: a snapshot with its cursor, then the feed from that cursor.
//
// Each card is a signal, and so is the order of each column. A change of one card draws one card, whatever the size of
// the board. Moves are shown at once: `pending` overlays what the server said until it answers.

import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';

import { follow, request } from '../api/client';
import {
  BoardDocument,
  BoardFeedDocument,
  CreateCardDocument,
  MoveCardDocument,
  type BoardFeedSubscription,
  type BoardQuery,
  type CardOnBoardFragment,
  type ColumnOnBoardFragment,
  type MoveCardInput,
} from '../api/generated';
import { refusal } from '../api/outcome';
import { byRank, rankBetween } from './ranks';
import { tell } from './toasts';

export type Card = CardOnBoardFragment;
export type Column = ColumnOnBoardFragment;
export type BoardFacts = Omit<NonNullable<BoardQuery['board']>, 'cards' | 'columns' | 'cursor' | 'seq'>;
export type ChangedCard = Card & { board?: { seq: number } | null };
type Item = BoardFeedSubscription['boardFeed'];

const CARD_MILLISECONDS = 8; // of one frame, spent on arrived items
const GONE = new Set(['NOT_FOUND', 'FORBIDDEN']);
const RESUMABLE = new Set([undefined, 'UNAVAILABLE', 'TIMEOUT', 'UNAUTHENTICATED', 'RATE_LIMITED']);

export class Board {
  readonly facts = signal<BoardFacts | null>(null);
  readonly columns = signal<Column[]>([]);
  /** The cards of each column, by rank. */
  readonly lanes = signal<ReadonlyMap<string, Signal<readonly string[]>>>(new Map());
  readonly cards = new Map<string, Signal<Card>>();
  readonly failure = signal<string | null>(null);
  /** Number of the last event that is shown. */
  readonly seq = signal(0);
  /** Grows with every event on a card; views of one card reload when `touched` names it. */
  readonly touched = signal<{ id: string; count: number; type: string }>({ id: '', count: 0, type: '' });
  readonly mayWrite: ReadonlySignal<boolean> = computed(() => this.facts.value?.workspace?.myRole !== 'VIEWER');

  private pending = new Map<string, Partial<Card>>();
  private read = new Map<string, number>(); // the event each card was read at, or after
  private arrived: Item[] = [];
  private frame: ReturnType<typeof setTimeout> | undefined;
  private stop: () => void = () => {};
  private closed = false;
  private cursor = '';

  constructor(readonly id: string) {
    void this.load();
  }

  close(): void {
    this.closed = true;
    this.stop();
    clearTimeout(this.frame);
  }

  private async load(): Promise<void> {
    try {
      const { board } = await request(BoardDocument, { id: this.id });
      if (this.closed) return;
      if (!board) {
        this.failure.value = 'This board does not exist, or you may not see it.';
        return;
      }
      const { cards, columns, cursor, seq, ...facts } = board;
      batch(() => {
        this.failure.value = null;
        this.facts.value = facts;
        this.columns.value = [...columns].sort(byRank);
        this.cards.clear();
        this.seq.value = seq;
        this.read.clear();
        for (const card of cards.nodes) this.cards.set(card.id, signal(card));
        this.arrange();
      });
      this.cursor = cursor;
      this.listen();
      if (cards.pageInfo.hasNextPage) await this.loadRest(cards.pageInfo.endCursor);
    } catch (error) {
      if (this.closed) return;
      this.failure.value = (error as Error).message;
      setTimeout(() => this.failure.peek() && !this.closed && void this.load(), 2_000);
    }
  }

  private async loadRest(after: string | null | undefined): Promise<void> {
    while (after) {
      const { board } = await request(BoardDocument, { id: this.id, after });
      if (!board || this.closed) return;
      batch(() => board.cards.nodes.forEach((card) => this.put(card, board.seq)));
      after = board.cards.pageInfo.hasNextPage ? board.cards.pageInfo.endCursor : null;
    }
  }

  private listen(): void {
    this.stop = follow(
      BoardFeedDocument,
      { id: this.id, after: this.cursor },
      {
        next: ({ boardFeed }) => {
          this.arrived.push(boardFeed);
          this.frame ??= setTimeout(() => this.apply(), 16);
        },
        ended: (code) => {
          if (this.closed) return;
          if (GONE.has(code ?? '')) this.failure.value = 'This board was deleted, or you may no longer see it.';
          else if (RESUMABLE.has(code)) setTimeout(() => !this.closed && this.listen(), 1_000);
          else setTimeout(() => !this.closed && void this.load(), 500); // the cursor is too old: look again
        },
      },
    );
  }

  /** Show what arrived, for as long as a frame allows; the rest follows in the next one. */
  private apply(): void {
    this.frame = undefined;
    const until = performance.now() + CARD_MILLISECONDS;
    batch(() => {
      let item: Item | undefined;
      while (performance.now() < until && (item = this.arrived.shift())) this.show(item);
    });
    if (this.arrived.length) this.frame = setTimeout(() => this.apply(), 16);
  }

  private show({ seq, cursor, event }: Item): void {
    this.cursor = cursor;
    this.seq.value = seq;
    if ('cardId' in event) {
      if (event.card) this.put(event.card, seq);
      else this.remove(event.cardId);
      this.touched.value = { id: event.cardId, count: this.touched.peek().count + 1, type: event.__typename };
    } else if ('ranks' in event) {
      for (const { nodeId, rank } of event.ranks) {
        const card = this.cards.get(nodeId);
        if (card) card.value = { ...card.peek(), rank };
        this.columns.value = this.columns.peek().map((it) => (it.id === nodeId ? { ...it, rank } : it));
      }
      this.columns.value = [...this.columns.peek()].sort(byRank);
      this.arrange();
    } else if ('columnId' in event) {
      const others = this.columns.peek().filter(({ id }) => id !== event.columnId);
      this.columns.value = (event.column ? [...others, event.column] : others).sort(byRank);
      this.arrange();
    } else if (event.__typename === 'BoardDeleted') {
      this.failure.value = 'This board was deleted.';
    } else if (/^(Board|Label|AgentProfile)/.test(event.__typename)) {
      void this.reload();
    }
  }

  /** Names, labels and people changed: they stand in many places, so they are read again. */
  private async reload(): Promise<void> {
    const { board } = await request(BoardDocument, { id: this.id });
    if (!board || this.closed) return;
    const { cards, columns: _, cursor: __, seq, ...facts } = board;
    batch(() => {
      this.facts.value = facts;
      cards.nodes.forEach((card) => this.put(card, seq));
    });
  }

  /**
   * Show a card as it was read at the event `seq` or after it, unless a later reading is shown already.
   *
   * The answer of a mutation and the feed overtake each other; this puts them in order.
   */
  put(given: Card, seq: number): void {
    if (seq < (this.read.get(given.id) ?? 0)) return;
    this.read.set(given.id, seq);
    const current = this.cards.get(given.id);
    if (given.archivedAt) {
      this.remove(given.id);
      return;
    }
    const card = { ...given, ...this.pending.get(given.id) };
    const before = current?.peek();
    if (current) current.value = card;
    else this.cards.set(card.id, signal(card));
    if (before?.columnId === card.columnId && before.rank === card.rank) return;
    if (before && before.columnId !== card.columnId) this.sort(before.columnId);
    this.sort(card.columnId);
  }

  /** Show the card that a mutation answered with. */
  putChanged(card: ChangedCard): void {
    batch(() => this.put(card, card.board?.seq ?? this.seq.peek()));
  }

  private remove(id: string): void {
    const card = this.cards.get(id);
    if (!card) return;
    this.cards.delete(id);
    this.sort(card.peek().columnId);
  }

  private arrange(): void {
    const lanes = new Map(this.columns.peek().map(({ id }) => [id, this.lanes.peek().get(id) ?? signal<string[]>([])]));
    this.lanes.value = lanes;
    for (const id of lanes.keys()) this.sort(id);
  }

  private sort(columnId: string): void {
    const lane = this.lanes.peek().get(columnId);
    if (!lane) return;
    const cards = [];
    for (const card of this.cards.values()) if (card.peek().columnId === columnId) cards.push(card.peek());
    const ids = cards.sort(byRank).map(({ id }) => id);
    if (ids.join() !== lane.peek().join()) lane.value = ids;
  }

  private overlay(id: string, change: Partial<Card>): void {
    const card = this.cards.get(id);
    if (!card) return;
    const before = card.peek().columnId;
    card.value = { ...card.peek(), ...change };
    this.sort(before);
    this.sort(card.peek().columnId);
  }

  /**
   * Move a card after another one, or to the top of a column, and show that at once if it is `optimistic`.
   *
   * If the server refuses, its reasons are told and the card stands where it was.
   */
  async move(id: string, columnId: string, after: string | null, optimistic = true): Promise<boolean> {
    const card = this.cards.get(id)?.peek();
    const column = this.columns.peek().find((it) => it.id === columnId);
    if (!card || !column) return false;
    const lane = (this.lanes.peek().get(columnId)?.peek() ?? []).filter((other) => other !== id);
    const place = after === null ? 0 : lane.indexOf(after) + 1;
    const rankOf = (other: string | undefined) => (other ? this.cards.get(other)?.peek().rank : undefined);
    const rank = rankBetween(rankOf(lane[place - 1]), rankOf(lane[place]));
    const before = { columnId: card.columnId, stage: card.stage, rank: card.rank };
    const change = { columnId, stage: column.stage, rank };
    if (optimistic) {
      this.pending.set(id, change);
      batch(() => this.overlay(id, change));
    }

    const input: MoveCardInput = { id, position: after === null ? { top: true } : { after } };
    if (columnId !== before.columnId) input.destination = { columnId };
    try {
      const outcome = (await request(MoveCardDocument, { input })).moveCard;
      this.settle(id, change);
      const why = refusal(outcome);
      if (why === null) {
        this.putChanged(outcome as ChangedCard);
        return true;
      }
      this.restore(id, change, before);
      tell(`${card.name} stays in ${this.nameOf(before.columnId)}`, why, 'refused');
    } catch (error) {
      this.settle(id, change);
      this.restore(id, change, before);
      tell(`${card.name} was not moved`, [(error as Error).message], 'refused');
    }
    return false;
  }

  private settle(id: string, change: Partial<Card>): void {
    if (this.pending.get(id) === change) this.pending.delete(id);
  }

  /** Back to where the card stood, unless an event has placed it elsewhere meanwhile. */
  private restore(id: string, change: Partial<Card>, before: Partial<Card>): void {
    const card = this.cards.get(id)?.peek();
    if (card?.rank === change.rank && !this.pending.has(id)) batch(() => this.overlay(id, before));
  }

  async create(columnId: string, title: string): Promise<boolean> {
    const input = { boardId: this.id, title, destination: { columnId }, position: { top: true } } as const;
    const outcome = (await request(CreateCardDocument, { input })).createCard;
    const why = refusal(outcome);
    if (why) tell('The card was not created', why, 'refused');
    else this.putChanged(outcome as ChangedCard);
    return why === null;
  }

  nameOf(columnId: string): string {
    return this.columns.peek().find(({ id }) => id === columnId)?.name ?? '';
  }
}
