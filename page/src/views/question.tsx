// A question of an agent, answered where it stands: in the inbox, on the card and in the run.

import { useSignal } from '@preact/signals';

import { answer, type Question } from '../state/inbox';
import { href } from '../state/route';
import { Ago, Countdown } from '../ui/time';

export function QuestionForm({ question, hasCard = true }: { question: Question; hasCard?: boolean }) {
  const chosen = useSignal<readonly string[]>(question.options.filter((it) => it.recommended).slice(0, 1).map((it) => it.label));
  const text = useSignal('');
  const isBusy = useSignal(false);
  const isMulti = question.type === 'MULTI';
  const takesText = question.type === 'TEXT' || question.allowOther;

  const choose = (label: string, isChecked: boolean) => {
    if (!isMulti) chosen.value = [label];
    else chosen.value = isChecked ? [...chosen.value, label] : chosen.value.filter((it) => it !== label);
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    isBusy.value = true;
    const other = text.value.trim();
    await answer(question, other && !isMulti ? [] : [...chosen.value], other).finally(() => (isBusy.value = false));
  };

  return (
    <form class="question" onSubmit={submit}>
      <header>
        <span class="agent agent-waiting_input">
          <span class="agent-dot" aria-hidden="true" />
          <span class="agent-state">{question.askedBy?.name ?? 'Somebody'} asks</span>
        </span>
        <Ago at={question.createdAt} />
        {question.expiresAt && (
          <Countdown
            to={question.expiresAt}
            then={question.defaultAnswer?.length ? `“${question.defaultAnswer.join(', ')}”` : 'it expires'}
          />
        )}
      </header>
      {hasCard && question.card && (
        <a class="question-card" href={href('boards', question.boardId, question.cardId)}>
          <span class="card-name">{question.card.name}</span> {question.card.title}
        </a>
      )}
      <fieldset>
        <legend>{question.text}</legend>
        {question.options.map(({ label, description, recommended }) => (
          <label key={label} class="option">
            <input
              type={isMulti ? 'checkbox' : 'radio'}
              name={question.id}
              checked={chosen.value.includes(label) && !(text.value.trim() && !isMulti)}
              onChange={(event) => choose(label, event.currentTarget.checked)}
            />
            <span>
              <strong>{label}</strong>
              {recommended && <em> recommended</em>}
              {description && <small>{description}</small>}
            </span>
          </label>
        ))}
        {takesText && (
          <input
            aria-label={question.options.length ? 'Another answer' : 'Your answer'}
            placeholder={question.options.length ? 'Or in other words …' : 'Your answer'}
            value={text.value}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
        )}
      </fieldset>
      <button class="primary" disabled={isBusy.value || !(chosen.value.length || text.value.trim())}>
        Answer
      </button>
    </form>
  );
}
