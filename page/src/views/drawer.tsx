// A card, opened beside the board: its fields, subtasks, questions, runs and history.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import {
  AddLabelDocument,
  AddSubtaskDocument,
  ArchiveCardDocument,
  AssignDocument,
  DeleteSubtaskDocument,
  PostMessageDocument,
  RemoveLabelDocument,
  TickSubtaskDocument,
  UnassignDocument,
  type CardSize,
  type CardType,
  type Priority,
  type Stage,
} from '../api/generated';
import { act } from '../state/act';
import type { Board } from '../state/board';
import type { CardDetail, OpenCard } from '../state/card';
import { go, href } from '../state/route';
import { Icon, PriorityIcon, Ring, StageIcon } from '../ui/icons';
import { Markdown } from '../ui/markdown';
import { Menu } from '../ui/menu';
import { AgentLine, Avatar, LabelChip, nameOf, words } from '../ui/people';
import { QuestionForm } from './question';
import { Runs } from './runs';
import { Timeline } from './timeline';

const PRIORITIES: Priority[] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'NONE'];
const TYPES: CardType[] = ['FEATURE', 'BUG', 'CHORE', 'DOCS', 'REFACTOR', 'TEST', 'REVIEW'];
const SIZES: CardSize[] = ['SMALL', 'MEDIUM', 'LARGE'];

export function Drawer({ board, open }: { board: Board; open: OpenCard }) {
  const panel = useRef<HTMLElement>(null);
  const close = () => {
    go('boards', board.id);
    document.querySelector<HTMLElement>(`[data-card="${open.id}"] a`)?.focus();
  };
  useEffect(() => panel.current?.focus(), [open]);
  const card = open.detail.value;
  return (
    <aside
      ref={panel}
      class="drawer"
      tabIndex={-1}
      aria-label={card ? `${card.name} ${card.title}` : 'Card'}
      onKeyDown={(event) => event.key === 'Escape' && !event.defaultPrevented && close()}
    >
      <header class="drawer-head">
        <span class="card-name">{card?.name}</span>
        {card?.parent && (
          <a class="card-parent" href={href('boards', board.id, card.parent.id)}>
            {card.parent.title}
          </a>
        )}
        <span class="grow" />
        {card && board.mayWrite.value && <More board={board} card={card} />}
        <button class="quiet" aria-label="Close the card" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {open.failure.value && <p class="notice">{open.failure.value}</p>}
      {card ? <Body board={board} open={open} card={card} /> : <div class="drawer-wait" aria-busy="true" />}
    </aside>
  );
}

const More = ({ board, card }: { board: Board; card: CardDetail }) => (
  <Menu label="More" class="quiet">
    <button class="choice" onClick={() => void navigator.clipboard?.writeText(location.href)}>
      Copy the link
    </button>
    <button
      class="choice danger"
      onClick={async () => {
        if (await act('The card was not archived', ArchiveCardDocument, { id: card.id }, `${card.name} is archived`))
          go('boards', board.id);
      }}
    >
      Archive
    </button>
  </Menu>
);

function Body({ board, open, card }: { board: Board; open: OpenCard; card: CardDetail }) {
  const mayWrite = board.mayWrite.value;
  const asked = card.questions.nodes.filter((it) => it.status === 'OPEN');
  return (
    <div class="drawer-body">
      <Title key={card.id} open={open} card={card} readOnly={!mayWrite} />
      <Properties board={board} open={open} card={card} />
      {card.agentState !== 'IDLE' && <AgentLine state={card.agentState} activity={card.agentActivity} />}
      {asked.map((question) => (
        <QuestionForm key={question.id} question={question} hasCard={false} />
      ))}
      <Description key={`text ${card.id}`} open={open} card={card} readOnly={!mayWrite} />
      <Subtasks card={card} mayWrite={mayWrite} />
      <Cards title="Part of it" cards={card.children} board={board} />
      <Cards title="Blocked by" cards={card.blockedBy} board={board} />
      <Cards title="Blocks" cards={card.blocks} board={board} />
      <Runs board={board} card={card} />
      <Comments card={card} mayWrite={mayWrite} />
    </div>
  );
}

interface Editing {
  open: OpenCard;
  card: CardDetail;
  readOnly: boolean;
}

/** A title that is edited where it stands. Enter keeps it, Escape forgets it. */
function Title({ open, card, readOnly }: Editing) {
  const field = useRef<HTMLTextAreaElement>(null);
  const isEdited = useRef(false);
  useEffect(() => {
    if (!isEdited.current && field.current) field.current.value = card.title;
  }, [card.title]);
  const keep = async () => {
    const title = field.current!.value.trim();
    isEdited.current = false;
    if (!title || title === card.title || !(await open.update({ title }))) field.current!.value = card.title;
  };
  return (
    <textarea
      ref={field}
      class="drawer-title"
      aria-label="Title"
      rows={1}
      dir="auto"
      maxLength={255}
      readOnly={readOnly}
      onInput={() => (isEdited.current = true)}
      onBlur={() => void keep()}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.preventDefault();
        if (event.key === 'Escape' && isEdited.current) {
          event.preventDefault();
          event.currentTarget.value = card.title;
        }
        if (event.key === 'Enter' || event.key === 'Escape') event.currentTarget.blur();
      }}
    />
  );
}

const Property = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div class="property">
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

function Properties({ board, open, card }: { board: Board; open: OpenCard; card: CardDetail }) {
  const isFixed = !board.mayWrite.value;
  const workspace = board.facts.value?.workspace;
  const members = workspace?.members.nodes.flatMap(({ user }) => (user ? [user] : [])) ?? [];
  const column = board.columns.value.find(({ id }) => id === card.columnId);
  const why = (stage: Stage) => card.moves.find((move) => move.stage === stage && !move.allowed)?.reasons[0]?.message;
  return (
    <dl class="properties">
      <Property name="Stage">
        <Menu label={column?.name ?? words(card.stage)} class="value">
          {board.columns.value.map((it) => (
            <button
              key={it.id}
              class="choice"
              disabled={isFixed || it.id === card.columnId || Boolean(why(it.stage))}
              title={why(it.stage)}
              onClick={() => void board.move(card.id, it.id, null)}
            >
              <StageIcon stage={it.stage} />
              {it.name}
            </button>
          ))}
        </Menu>
      </Property>
      <Property name="Priority">
        <span class="select">
          <PriorityIcon priority={card.priority} />
          <Select isFixed={isFixed} name="Priority" of={PRIORITIES} value={card.priority} change={(priority) => open.update({ priority })} />
        </span>
      </Property>
      <Property name="People">
        <Menu label={card.assignees.map(nameOf).join(', ') || 'Nobody'} class="value">
          {members.map((person) => {
            const isOn = card.assignees.some(({ id }) => id === person.id);
            const document = isOn ? UnassignDocument : AssignDocument;
            const change = () => act('The people were not changed', document, { cardId: card.id, userId: person.id });
            return (
              <Tick key={person.id} isOn={isOn} isFixed={isFixed} change={change}>
                <Avatar person={person} /> {nameOf(person)}
              </Tick>
            );
          })}
        </Menu>
      </Property>
      <Property name="Labels">
        <Menu label={card.labels.map(({ name }) => name).join(', ') || 'None'} class="value">
          {(workspace?.labels ?? []).map((label) => {
            const isOn = card.labels.some(({ id }) => id === label.id);
            const document = isOn ? RemoveLabelDocument : AddLabelDocument;
            const change = () => act('The labels were not changed', document, { cardId: card.id, labelId: label.id });
            return (
              <Tick key={label.id} isOn={isOn} isFixed={isFixed} change={change}>
                <LabelChip label={label} />
              </Tick>
            );
          })}
        </Menu>
      </Property>
      <Property name="Due">
        <input
          type="date"
          aria-label="Due"
          class="value"
          value={card.dueOn ?? ''}
          disabled={isFixed}
          onChange={(event) => void open.update({ dueOn: event.currentTarget.value || null })}
        />
      </Property>
      <Property name="Type">
        <Select isFixed={isFixed} name="Type" of={TYPES} value={card.type} change={(type) => open.update({ type })} />
      </Property>
      <Property name="Size">
        <Select isFixed={isFixed} name="Size" of={SIZES} value={card.size ?? null} none change={(size) => open.update({ size })} />
      </Property>
      <Property name="Points">
        <input
          type="number"
          aria-label="Story points"
          min={0}
          max={99}
          class="value"
          placeholder="None"
          value={card.storyPoints ?? ''}
          disabled={isFixed}
          onChange={(event) => {
            const given = event.currentTarget.value;
            void open.update({ storyPoints: given === '' ? null : Number(given) });
          }}
        />
      </Property>
    </dl>
  );
}

interface Selecting<Value> {
  name: string;
  of: readonly Value[];
  value: Value | null;
  none?: boolean;
  isFixed?: boolean;
  change: (value: Value) => Promise<boolean>;
}

/** A choice of one of an enum's values; `none` adds the choice of none of them. */
function Select<Value extends string>({ name, of, value, none, isFixed, change }: Selecting<Value>) {
  return (
    <select
      aria-label={name}
      value={value ?? ''}
      disabled={isFixed}
      onChange={(event) => void change((event.currentTarget.value || null) as Value)}
    >
      {none && <option value="">None</option>}
      {of.map((it) => (
        <option key={it} value={it}>
          {words(it)}
        </option>
      ))}
    </select>
  );
}

interface Ticking {
  isOn: boolean;
  isFixed: boolean;
  change: () => Promise<boolean>;
  children: ComponentChildren;
}

const Tick = ({ isOn, isFixed, change, children }: Ticking) => (
  <label class="choice">
    <input type="checkbox" checked={isOn} disabled={isFixed} onChange={() => void change()} />
    {children}
  </label>
);

function Description({ open, card, readOnly }: Editing) {
  const draft = useSignal<string | null>(null);
  if (draft.value === null)
    return (
      <section class="description" aria-label="Description">
        {card.description ? <Markdown text={card.description} /> : <p class="calm">No description.</p>}
        {!readOnly && (
          <button class="quiet edit" onClick={() => (draft.value = card.description)}>
            Edit
          </button>
        )}
      </section>
    );
  const keep = async () => {
    if (await open.update({ description: draft.value! })) draft.value = null;
  };
  return (
    <section class="description">
      <textarea
        aria-label="Description, in Markdown"
        rows={8}
        dir="auto"
        value={draft.value}
        autoFocus
        onInput={(event) => (draft.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            event.preventDefault();
            draft.value = null;
          }
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) void keep();
        }}
      />
      <p class="actions">
        <button class="primary" onClick={() => void keep()}>
          Keep
        </button>
        <button class="button" onClick={() => (draft.value = null)}>
          Cancel
        </button>
      </p>
    </section>
  );
}

function Subtasks({ card, mayWrite }: { card: CardDetail; mayWrite: boolean }) {
  const { done, total } = card.subtaskCount;
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const title = (new FormData(form).get('title') as string).trim();
    if (title && (await act('The subtask was not added', AddSubtaskDocument, { cardId: card.id, title }))) form.reset();
  };
  return (
    <section aria-labelledby="subtasks">
      <h3 id="subtasks">
        Subtasks
        {total > 0 && (
          <span class={`chip ${done === total ? 'is-done' : ''}`}>
            <Ring done={done} total={total} /> {done}/{total}
          </span>
        )}
      </h3>
      <ul class="subtasks">
        {card.subtasks.map((subtask) => (
          <li key={subtask.id}>
            <label class={subtask.completed ? 'is-done' : ''}>
              <input
                type="checkbox"
                checked={subtask.completed}
                disabled={!mayWrite}
                onChange={(event) =>
                  void act('The subtask was not changed', TickSubtaskDocument, {
                    id: subtask.id,
                    completed: event.currentTarget.checked,
                  })
                }
              />
              <span dir="auto">{subtask.title}</span>
              {subtask.phase && <small>{subtask.phase}</small>}
            </label>
            {mayWrite && (
              <button
                class="quiet"
                aria-label={`Delete ${subtask.title}`}
                onClick={() => void act('The subtask was not deleted', DeleteSubtaskDocument, { id: subtask.id })}
              >
                <Icon name="close" size={13} />
              </button>
            )}
          </li>
        ))}
      </ul>
      {mayWrite && (
        <form class="inline" onSubmit={(event) => void add(event)}>
          <input name="title" aria-label="A new subtask" placeholder="Add a subtask" maxLength={255} autoComplete="off" />
        </form>
      )}
    </section>
  );
}

function Cards({ title, cards, board }: { title: string; cards: CardDetail['children']; board: Board }) {
  if (!cards.length) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul class="list">
        {cards.map((it) => (
          <li key={it.id}>
            <a href={href('boards', board.id, it.id)}>
              <StageIcon stage={it.stage} />
              <span class="card-name">{it.name}</span>
              <span class="grow">{it.title}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Comments({ card, mayWrite }: { card: CardDetail; mayWrite: boolean }) {
  const text = useSignal('');
  const post = async (event: Event) => {
    event.preventDefault();
    const body = text.value.trim();
    if (body && (await act('The comment was not posted', PostMessageDocument, { cardId: card.id, body })))
      text.value = '';
  };
  return (
    <section aria-labelledby="history">
      <h3 id="history">History</h3>
      {mayWrite && (
        <form class="comment" onSubmit={(event) => void post(event)}>
          <textarea
            aria-label="A comment, in Markdown"
            placeholder="Comment …"
            rows={2}
            dir="auto"
            value={text.value}
            onInput={(event) => (text.value = event.currentTarget.value)}
            onKeyDown={(event) => event.key === 'Enter' && (event.metaKey || event.ctrlKey) && void post(event)}
          />
          <button class="button" disabled={!text.value.trim()}>
            Comment
          </button>
        </form>
      )}
      <Timeline entries={card.timeline.nodes} />
    </section>
  );
}
