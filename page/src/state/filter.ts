// Which cards of the board are shown. The board is in memory, so filtering asks the server nothing.

import { computed, signal } from '@preact/signals';

import type { AgentState } from '../api/generated';
import type { Card } from './board';

export type AgentFilter = 'working' | 'asking' | 'failed';
const STATES: Record<AgentFilter, readonly AgentState[]> = {
  working: ['QUEUED', 'STARTING', 'PLANNING', 'WORKING', 'WAITING_TOOL', 'BLOCKED'],
  asking: ['WAITING_INPUT'],
  failed: ['FAILED', 'CANCELLED'],
};

export const text = signal('');
export const people = signal<ReadonlySet<string>>(new Set());
export const labels = signal<ReadonlySet<string>>(new Set());
export const agents = signal<ReadonlySet<AgentFilter>>(new Set());

export const isFiltered = computed(
  () => Boolean(text.value.trim()) || people.value.size + labels.value.size + agents.value.size > 0,
);

export function clear(): void {
  text.value = '';
  people.value = labels.value = agents.value = new Set();
}

export function toggle<T>(of: { value: ReadonlySet<T> }, item: T): void {
  const next = new Set(of.value);
  if (!next.delete(item)) next.add(item);
  of.value = next;
}

const fold = (given: string): string => given.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

export function matches(card: Card): boolean {
  const wanted = fold(text.value.trim());
  if (wanted && !fold(`${card.name} ${card.title}`).includes(wanted)) return false;
  if (people.value.size && !card.assignees.some(({ id }) => people.value.has(id))) return false;
  if (labels.value.size && !card.labels.some(({ id }) => labels.value.has(id))) return false;
  if (agents.value.size && ![...agents.value].some((it) => STATES[it].includes(card.agentState))) return false;
  return true;
}
