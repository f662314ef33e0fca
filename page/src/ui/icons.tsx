// Small pictures, drawn with the colour of the text beside them. They are decoration: words say the same.

import type { ComponentChildren } from 'preact';

import type { Priority, Stage } from '../api/generated';

const PATHS = {
  inbox: 'M2.5 9.5h3l1 2h3l1-2h3M4 3.5h8l1.5 6v3h-11v-3z',
  chart: 'M3 13V8.5M8 13V3.5M13 13V6.5',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14',
  filter: 'M2.5 4.5h11M4.5 8h7M6.5 11.5h3',
  plus: 'M8 3v10M3 8h10',
  close: 'm4 4 8 8M12 4l-8 8',
  check: 'm3.5 8.5 3 3 6-7',
  comment: 'M3 3.5h10v7H8l-3 2.5v-2.5H3z',
  calendar: 'M3 4h10v9H3zM3 7h10M6 2.5v3M10 2.5v3',
  board: 'M2.5 3.5h3v9h-3zM6.5 3.5h3v6h-3zM10.5 3.5h3v7.5h-3z',
  code: 'm5.5 5-3 3 3 3M10.5 5l3 3-3 3',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z',
  half: 'M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11',
  play: 'M5 3.5v9l7-4.5z',
  stop: 'M4.5 4.5h7v7h-7z',
  retry: 'M3 8a5 5 0 1 0 1.5-3.5M3 2.5V5h2.5',
  chevron: 'm6 4 4 4-4 4',
  bolt: 'M8.5 2 4 9h3.5l-.5 5L12 7H8.5z',
  file: 'M4 2.5h5l3 3v8H4zM9 2.5v3h3',
  bell: 'M4 11V7.5a4 4 0 0 1 8 0V11l1 1H3zM7 13.5h2',
  keyboard: 'M2 4.5h12v7H2zM4.5 7h.01M7 7h.01M9.5 7h.01M12 7h.01M5 9.5h6',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

const PART: Record<Stage, number> = { BACKLOG: 0, PLAN: 0, TODO: 0, IN_PROGRESS: 0.5, REVIEW: 0.75, DONE: 1 };

/** A circle that fills as work goes on. */
export function StageIcon({ stage }: { stage: Stage }) {
  const around = 2 * Math.PI * 2.5;
  return (
    <svg class={`stage stage-${stage.toLowerCase()}`} width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
      <circle class="stage-rim" cx="8" cy="8" r="5.8" />
      {stage === 'DONE' ? (
        <>
          <circle class="stage-full" cx="8" cy="8" r="5.8" />
          <path class="stage-check" d="m5.4 8.2 1.8 1.8 3.4-3.8" />
        </>
      ) : (
        <circle
          class="stage-part"
          cx="8"
          cy="8"
          r="2.5"
          stroke-dasharray={`${around * PART[stage]} ${around}`}
          transform="rotate(-90 8 8)"
        />
      )}
    </svg>
  );
}

const BARS: Record<Priority, number> = { NONE: 0, LOW: 1, MEDIUM: 2, HIGH: 3, CRITICAL: 4 };

export function PriorityIcon({ priority }: { priority: Priority }) {
  return (
    <svg class={`priority priority-${priority.toLowerCase()}`} width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
      {priority === 'CRITICAL' ? (
        <>
          <rect x="1.5" y="1.5" width="13" height="13" rx="3" />
          <path class="mark" d="M8 4.5v4.5M8 11.3v.2" />
        </>
      ) : (
        [0, 1, 2].map((bar) => (
          <rect
            key={bar}
            x={1.5 + bar * 5}
            y={10 - bar * 3.5}
            width="3"
            height={4.5 + bar * 3.5}
            rx="1"
            opacity={bar < BARS[priority] ? 1 : 0.28}
          />
        ))
      )}
    </svg>
  );
}

/** A ring that shows how much is done. */
export function Ring({ done, total }: { done: number; total: number }) {
  const around = 2 * Math.PI * 5;
  return (
    <svg class="ring" width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
      <circle cx="7" cy="7" r="5" />
      <circle
        class="ring-part"
        cx="7"
        cy="7"
        r="5"
        stroke-dasharray={`${total ? (around * done) / total : 0} ${around}`}
        transform="rotate(-90 7 7)"
      />
    </svg>
  );
}

/** Words that are read aloud and not shown. */
export const Hidden = ({ children }: { children: ComponentChildren }) => <span class="hidden">{children}</span>;
