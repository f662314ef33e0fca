// Quick search: any card, board or view by a part of its name. "/" or Ctrl+K opens it anywhere.

import { signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { request } from '../api/client';
import { FindCardsDocument, type Stage } from '../api/generated';
import type { Board } from '../state/board';
import { boards } from '../state/home';
import { go } from '../state/route';
import { Icon, StageIcon } from '../ui/icons';

const ASK_AFTER_MILLISECONDS = 120;
const MAX_SHOWN = 12;

export const isSearching = signal(false);

interface Hit {
  key: string;
  name: string;
  title: string;
  stage?: Stage;
  path: string[];
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);

addEventListener('keydown', (event) => {
  const isSlash = event.key === '/' && !isTyping(event.target) && !event.ctrlKey && !event.metaKey;
  const isCommand = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey);
  if (!isSlash && !isCommand) return;
  event.preventDefault();
  isSearching.value = true;
});

export function Search({ board }: { board: Board | null }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isSearching.value && !dialog.current?.open) dialog.current?.showModal();
    if (!isSearching.value) dialog.current?.close();
  }, [isSearching.value]);
  return (
    <dialog
      ref={dialog}
      class="search"
      aria-label="Search"
      onClose={() => (isSearching.value = false)}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      {isSearching.value && <Palette board={board} />}
    </dialog>
  );
}

function Palette({ board }: { board: Board | null }) {
  const text = useSignal('');
  const found = useSignal<readonly Hit[]>([]);
  const at = useSignal(0);
  const wanted = text.value.trim().toLowerCase();

  useEffect(() => {
    at.value = 0;
    if (!wanted) {
      found.value = [];
      return;
    }
    const timer = setTimeout(async () => {
      const { cards } = await request(FindCardsDocument, { text: wanted });
      found.value = cards.nodes.map((card) => ({ ...card, key: card.id, path: ['boards', card.boardId, card.id] }));
    }, ASK_AFTER_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [wanted]);

  const here: Hit[] = board
    ? [...board.cards.values()]
        .map((it) => it.peek())
        .filter((card) => wanted && `${card.name} ${card.title}`.toLowerCase().includes(wanted))
        .map((card) => ({ key: card.id, name: card.name, title: card.title, stage: card.stage, path: ['boards', board.id, card.id] }))
    : [];
  const places: Hit[] = [
    ...boards.value.map(({ id, key, name }) => ({ key: id, name: key, title: name, path: ['boards', id] })),
    { key: 'inbox', name: '', title: 'Inbox', path: ['inbox'] },
    { key: 'charts', name: '', title: 'Charts', path: ['charts'] },
  ].filter(({ name, title }) => `${name} ${title}`.toLowerCase().includes(wanted));
  const known = new Set(here.map(({ key }) => key));
  const hits = [...here, ...found.value.filter(({ key }) => !known.has(key)), ...places].slice(0, MAX_SHOWN);

  const open = (hit: Hit | undefined) => {
    if (!hit) return;
    isSearching.value = false;
    go(...hit.path);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) at.value = (at.value + step + hits.length) % Math.max(1, hits.length);
    else if (event.key === 'Enter') open(hits[at.value]);
    else return;
    event.preventDefault();
  };

  return (
    <>
      <label class="search-field">
        <Icon name="search" />
        <input
          role="combobox"
          aria-label="Search cards and boards"
          aria-expanded="true"
          aria-controls="hits"
          aria-activedescendant={hits[at.value] && `hit-${at.value}`}
          placeholder="A card, a board …"
          autoComplete="off"
          value={text.value}
          ref={(field) => field?.focus()}
          onInput={(event) => (text.value = event.currentTarget.value)}
          onKeyDown={onKey}
        />
      </label>
      <ul id="hits" role="listbox" aria-label="Found">
        {hits.map((hit, place) => (
          <li
            key={hit.key}
            id={`hit-${place}`}
            role="option"
            aria-selected={place === at.value}
            onPointerMove={() => (at.value = place)}
            onClick={() => open(hit)}
          >
            {hit.stage ? <StageIcon stage={hit.stage} /> : <Icon name="board" />}
            {hit.name && <span class="card-name">{hit.name}</span>}
            <span class="grow">{hit.title}</span>
          </li>
        ))}
        {!hits.length && (
          <li class="none" role="option" aria-selected="false">
            Nothing found
          </li>
        )}
      </ul>
    </>
  );
}
