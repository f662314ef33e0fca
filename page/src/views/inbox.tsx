// The inbox: questions that agents wait with, then what happened.

import { inbox, markAllRead, questions } from '../state/inbox';
import { href } from '../state/route';
import { Icon, type IconName } from '../ui/icons';
import { Ago } from '../ui/time';
import type { NotificationType } from '../api/generated';
import { QuestionForm } from './question';

const ICONS: Partial<Record<NotificationType, IconName>> = {
  QUESTION_ASKED: 'comment',
  RUN_FAILED: 'close',
  RUN_SUCCEEDED: 'check',
  MENTIONED: 'comment',
};

export function Inbox() {
  const answer = inbox.value;
  const notifications = answer?.notifications.nodes ?? [];
  const mayAsk = 'Notification' in window && Notification.permission === 'default';
  return (
    <div class="page inbox">
      <section aria-labelledby="open-questions">
        <h2 id="open-questions">
          Questions <span class="count">{answer?.questions.totalCount ?? ''}</span>
        </h2>
        {answer && questions.value.length === 0 && <p class="calm">No agent waits for an answer.</p>}
        {questions.value.map((question) => (
          <QuestionForm key={question.id} question={question} />
        ))}
      </section>
      <section aria-labelledby="notifications">
        <header>
          <h2 id="notifications">
            Notifications <span class="count">{answer?.unreadCount || ''}</span>
          </h2>
          {mayAsk && (
            <button class="button" onClick={() => void Notification.requestPermission()}>
              Show them in this browser
            </button>
          )}
          {Boolean(answer?.unreadCount) && (
            <button class="button" onClick={() => void markAllRead()}>
              Mark all as read
            </button>
          )}
        </header>
        {answer && notifications.length === 0 && <p class="calm">Nothing yet.</p>}
        <ul class="list">
          {notifications.map((it) => (
            <li key={it.id} class={it.readAt ? '' : 'is-unread'}>
              <a href={it.boardId ? href('boards', it.boardId, it.cardId, it.runId) : '#/inbox'}>
                <Icon name={ICONS[it.type] ?? 'bell'} />
                <span class="grow">
                  <strong>{it.title}</strong> {it.body}
                </span>
                <Ago at={it.createdAt} />
              </a>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}
