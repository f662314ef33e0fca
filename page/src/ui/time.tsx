// Times as people say them, and clocks that run.

import { signal } from '@preact/signals';

/** The present, in milliseconds; a view that reads it is drawn once a second. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1_000);

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'narrow' });

export function ago(at: string): string {
  const seconds = (Date.parse(at) - now.value) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return 'now';
}

export const Ago = ({ at }: { at: string }) => (
  <time dateTime={at} title={new Date(at).toLocaleString()}>
    {ago(at)}
  </time>
);

/** 4.2 s, 1 min 5 s, 2 h 3 min */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** Minutes and seconds until a moment. */
export function Countdown({ to, then }: { to: string; then: string }) {
  const left = Math.max(0, Math.ceil((Date.parse(to) - now.value) / 1000));
  return (
    <span class={`countdown ${left <= 20 ? 'is-late' : ''}`} role="timer">
      {Math.floor(left / 60)}:{String(left % 60).padStart(2, '0')} until {then}
    </span>
  );
}
