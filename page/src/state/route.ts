// The address of a view is the fragment of the page's address, so that it works under any prefix and on any server:
// #/boards/<board>/<card>/<run>, #/inbox, #/charts/<workspace>.

import { computed, signal } from '@preact/signals';

const parse = (): string[] =>
  location.hash.startsWith('#/') ? location.hash.slice(2).split('/').filter(Boolean).map(decodeURIComponent) : [];

const parts = signal(parse());
addEventListener('hashchange', () => {
  parts.value = parse();
});

export const view = computed(() => parts.value[0] ?? '');
export const boardId = computed(() => (parts.value[0] === 'boards' ? (parts.value[1] ?? null) : null));
export const cardId = computed(() => (parts.value[0] === 'boards' ? (parts.value[2] ?? null) : null));
export const runId = computed(() => (parts.value[0] === 'boards' ? (parts.value[3] ?? null) : null));
export const argument = computed(() => parts.value[1] ?? null);

export const href = (...path: (string | null | undefined)[]): string =>
  `#/${path.filter(Boolean).map((part) => encodeURIComponent(part as string)).join('/')}`;

export function go(...path: (string | null | undefined)[]): void {
  const next = href(...path);
  if (next !== location.hash) location.hash = next;
  parts.value = parse();
}

/** As `go`, without an entry in the history. */
export function replace(...path: (string | null | undefined)[]): void {
  history.replaceState(history.state, '', href(...path));
  parts.value = parse();
}
