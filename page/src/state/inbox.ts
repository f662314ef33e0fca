// What waits for this person, over all boards: open questions and notifications.
//
// The feeds of the workspaces and of the person say when to look again; the lists themselves are short and are read
// whole.

import { computed, effect, signal } from '@preact/signals';

import { follow, request } from '../api/client';
import {
  AnswerQuestionDocument,
  InboxDocument,
  MarkAllReadDocument,
  UserFeedDocument,
  WorkspaceFeedDocument,
  type InboxQuery,
  type QuestionAskedFragment,
} from '../api/generated';
import { refusal } from '../api/outcome';
import { workspaces } from './home';
import { tell } from './toasts';

export type Question = QuestionAskedFragment;

const READ_AGAIN_MILLISECONDS = 150; // several events are one look
const FOLLOW_AGAIN_MILLISECONDS = 3_000;

export const inbox = signal<InboxQuery | null>(null);
export const questions = computed(() => inbox.value?.questions.nodes ?? []);
export const unread = computed(() => inbox.value?.unreadCount ?? 0);
/** How much asks for attention, as the window's title says. */
export const waiting = computed(() => (inbox.value?.questions.totalCount ?? 0) + unread.value);

let timer: ReturnType<typeof setTimeout> | undefined;

function look(): void {
  timer ??= setTimeout(() => {
    timer = undefined;
    request(InboxDocument, {})
      .then((answer) => {
        inbox.value = answer;
      })
      .catch(() => setTimeout(look, FOLLOW_AGAIN_MILLISECONDS));
  }, READ_AGAIN_MILLISECONDS);
}

/** Follow a feed for as long as it may be followed, and again after an end that is none. */
function keepFollowing(begin: (ended: (code: string | undefined) => void) => () => void): () => void {
  let stopped = false;
  let stop = () => {};
  const again = () => {
    stop = begin((code) => {
      if (!stopped && code !== 'NOT_FOUND') setTimeout(() => !stopped && again(), FOLLOW_AGAIN_MILLISECONDS);
    });
  };
  again();
  return () => {
    stopped = true;
    stop();
  };
}

const workspaceIds = computed(() => workspaces.value.map(({ id }) => id).join(' '));

effect(() => {
  const ids = workspaceIds.value.split(' ').filter(Boolean);
  if (!ids.length) {
    inbox.value = null;
    return;
  }
  const stops = ids.map((id) =>
    keepFollowing((ended) =>
      follow(
        WorkspaceFeedDocument,
        { id },
        {
          next: ({ workspaceFeed: { event } }) => {
            if (/^(Question|FeedStarted)/.test(event.__typename)) look();
          },
          ended,
        },
      ),
    ),
  );
  const stopUser = keepFollowing((ended) =>
    follow(
      UserFeedDocument,
      {},
      {
        next: ({ userFeed: { event } }) => {
          look();
          if (event.__typename === 'Notified') notify(event.title);
        },
        ended,
      },
    ),
  );
  return () => [...stops, stopUser].forEach((stop) => stop());
});

effect(() => {
  document.title = waiting.value ? `(${waiting.value}) Signalbox` : 'Signalbox';
});

/** A message of the browser, if this person allowed them and looks elsewhere. */
function notify(title: string): void {
  if (document.hidden && 'Notification' in window && Notification.permission === 'granted') new Notification(title);
}

export async function answer(question: Question, options: string[], text: string): Promise<boolean> {
  const given = { id: question.id, options: options.length ? options : null, text: text.trim() || null };
  const { outcome } = await request(AnswerQuestionDocument, given);
  const why = refusal(outcome);
  tell(why ? 'The answer was not taken' : 'Answered', why ?? [], why ? 'refused' : 'done');
  look();
  return why === null;
}

export async function markAllRead(): Promise<void> {
  await request(MarkAllReadDocument, {});
  look();
}
