// Things that are the same on every view: who is signed in, the workspaces and boards, the theme.

import { computed, signal } from '@preact/signals';

import { request } from '../api/client';
import { StartDocument, type StartQuery } from '../api/generated';

export type Workspace = StartQuery['workspaces']['nodes'][number];

export const start = signal<StartQuery | null>(null);
export const startFailure = signal<string | null>(null);
export const workspaces = computed(() => start.value?.workspaces.nodes ?? []);
export const boards = computed(() => workspaces.value.flatMap((it) => it.boards.nodes));

export async function loadHome(): Promise<void> {
  try {
    start.value = await request(StartDocument, {});
    startFailure.value = null;
  } catch (error) {
    startFailure.value = (error as Error).message;
    setTimeout(() => startFailure.peek() && void loadHome(), 3_000);
  }
}

export type Theme = 'system' | 'light' | 'dark';
const THEME = 'signalbox:theme';

export const theme = signal<Theme>((localStorage.getItem(THEME) as Theme | null) ?? 'system');
theme.subscribe((value) => {
  localStorage.setItem(THEME, value);
  if (value === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = value;
});
