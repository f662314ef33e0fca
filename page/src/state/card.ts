// Everything on one card, for as long as its drawer is open. An event on the card is the sign to read it again.

import { effect, signal } from '@preact/signals';

import { request } from '../api/client';
import { CardDocument, UpdateCardDocument, type CardQuery, type UpdateCardInput } from '../api/generated';
import { refusal } from '../api/outcome';
import type { Board, ChangedCard } from './board';
import { tell } from './toasts';

export type CardDetail = NonNullable<CardQuery['card']>;
export type RunInList = CardDetail['runs']['nodes'][number];

const READ_AGAIN_MILLISECONDS = 120;
const QUIET = new Set(['RunProgressed']); // the card's own line shows it

export class OpenCard {
  readonly detail = signal<CardDetail | null>(null);
  readonly failure = signal<string | null>(null);

  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly unwatch: () => void;
  private closed = false;

  constructor(
    readonly board: Board,
    readonly id: string,
  ) {
    void this.load();
    this.unwatch = effect(() => {
      const { id: touched, type } = board.touched.value;
      if (touched === id && !QUIET.has(type)) this.timer ??= setTimeout(() => void this.load(), READ_AGAIN_MILLISECONDS);
    });
  }

  close(): void {
    this.closed = true;
    this.unwatch();
    clearTimeout(this.timer);
  }

  async load(): Promise<void> {
    this.timer = undefined;
    try {
      const { card } = await request(CardDocument, { id: this.id });
      if (this.closed) return;
      this.detail.value = card ?? null;
      this.failure.value = card ? null : 'This card was deleted, or you may not see it.';
    } catch (error) {
      this.failure.value = (error as Error).message;
    }
  }

  /** Change fields. Returns whether the server took them. */
  async update(change: Omit<UpdateCardInput, 'id'>): Promise<boolean> {
    try {
      const outcome = (await request(UpdateCardDocument, { input: { id: this.id, ...change } })).updateCard;
      const why = refusal(outcome);
      if (why) tell('The card was not changed', why, 'refused');
      else this.board.putChanged(outcome as ChangedCard);
      if (!why) void this.load();
      return !why;
    } catch (error) {
      tell('The card was not changed', [(error as Error).message], 'refused');
      return false;
    }
  }
}
