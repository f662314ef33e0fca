// People, labels and the state of agents, as they stand on cards and in lists.

import type { AgentState, PersonFragment } from '../api/generated';
import { Hidden } from './icons';

export const nameOf = (person: PersonFragment): string =>
  person.nickname ?? ([person.firstName, person.lastName].filter(Boolean).join(' ') || person.username);

const initials = (name: string): string =>
  name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? '')
    .join('')
    .toUpperCase();

/** One of eight colours, the same for one text everywhere. */
const hueOf = (text: string): number => {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + letter.codePointAt(0)!) >>> 0;
  return (sum % 8) * 45 + 10;
};

export function Avatar({ person }: { person: PersonFragment }) {
  const name = nameOf(person);
  return (
    <span class="avatar" style={{ '--hue': hueOf(person.id) }} title={name}>
      <span aria-hidden="true">{initials(name)}</span>
      <Hidden>{name}</Hidden>
    </span>
  );
}

export const LabelChip = ({ label }: { label: { name: string; colour: string } }) => (
  <span class="label" style={{ '--label': label.colour }}>
    {label.name}
  </span>
);

export const AGENT_WORDS: Record<AgentState, string> = {
  IDLE: 'Idle',
  QUEUED: 'Waits for a worker',
  STARTING: 'Starts',
  PLANNING: 'Plans',
  WORKING: 'Works',
  WAITING_TOOL: 'Waits for a tool',
  WAITING_INPUT: 'Asks you',
  BLOCKED: 'Blocked',
  SUCCEEDED: 'Succeeded',
  FAILED: 'Failed',
  CANCELLED: 'Stopped',
};

/** Lines of the server that say no more than the state beside them. */
const REPEATED = new Set(['At work', 'Waits for a worker', 'Waits for an answer', 'Starting', 'Done']);

/** The state of a card's agent, and the one line that says what it does. */
export const AgentLine = ({ state, activity }: { state: AgentState; activity?: string | null | undefined }) => (
  <span class={`agent agent-${state.toLowerCase()}`}>
    <span class="agent-dot" aria-hidden="true" />
    <span class="agent-state">{AGENT_WORDS[state]}</span>
    {activity && !REPEATED.has(activity) && <span class="agent-activity">{activity}</span>}
  </span>
);

export const words = (text: string): string => text.charAt(0) + text.slice(1).toLowerCase().replaceAll('_', ' ');
