// Short messages at the edge of the page: refusals with their reasons, and what was done.

import { signal } from '@preact/signals';

const SECONDS = 8;

export interface Toast {
  id: number;
  title: string;
  details: readonly string[];
  kind: 'done' | 'refused';
}

export const toasts = signal<readonly Toast[]>([]);
let last = 0;

export function tell(title: string, details: readonly string[] = [], kind: Toast['kind'] = 'done'): void {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-2), { id, title, details, kind }];
  setTimeout(() => dismiss(id), SECONDS * 1000);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}
