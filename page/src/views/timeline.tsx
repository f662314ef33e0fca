// The history of a card: messages, and changes in words.

import type { CardDetail } from '../state/card';
import { Markdown } from '../ui/markdown';
import { words } from '../ui/people';
import { Ago } from '../ui/time';

type Entry = CardDetail['timeline']['nodes'][number];
type Change = Extract<Entry, { __typename: 'TimelineChange' }>;

const PHRASES: Record<string, string> = {
  CardCreated: 'created the card',
  CardArchived: 'archived the card',
  LabelAdded: 'added the label',
  LabelRemoved: 'removed the label',
  AssigneeAdded: 'assigned',
  AssigneeRemoved: 'unassigned',
  SubtaskCreated: 'added the subtask',
  SubtaskDeleted: 'deleted the subtask',
  QuestionAsked: 'asked',
  RunQueued: 'queued a run',
  RunClaimed: 'took the run',
  RunStarted: 'began to work',
  RunSucceeded: 'finished the run',
  RunFailed: 'failed',
};

const sentence = (type: string): string => PHRASES[type] ?? type.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();

const shown = (value: string | null | undefined): string =>
  value == null || value === '' ? 'nothing' : /^[A-Z_]+$/.test(value) ? words(value) : value;

function changed({ type, changes, about }: Change): string {
  if (type === 'CardMoved') {
    const stage = changes.find(({ field }) => /stage/i.test(field));
    return stage ? `moved the card from ${shown(stage.before)} to ${shown(stage.after)}` : 'moved the card';
  }
  const [first] = changes;
  if (first && /Updated$/.test(type)) {
    const what = first.field.replace(/([A-Z])/g, ' $1').toLowerCase();
    const isLong = (first.before?.length ?? 0) + (first.after?.length ?? 0) > 80;
    return isLong ? `changed ${what}` : `changed ${what} from ${shown(first.before)} to ${shown(first.after)}`;
  }
  return about ? `${sentence(type)} ${about}` : sentence(type);
}

export const Timeline = ({ entries }: { entries: readonly Entry[] }) => (
  <ol class="timeline">
    {entries.map((entry, at) => (
      <li key={at} class={entry.__typename === 'TimelineMessage' ? 'message' : ''}>
        <p>
          <strong>{entry.actor.name}</strong>{' '}
          {entry.__typename === 'TimelineChange' && <span dir="auto">{changed(entry)}</span>} <Ago at={entry.at} />
        </p>
        {entry.__typename === 'TimelineMessage' && entry.message && (
          <div class="bubble">
            {entry.message.deletedAt ? <em>Deleted</em> : <Markdown text={entry.message.body} />}
          </div>
        )}
      </li>
    ))}
  </ol>
);
