// The frame around every view: boards at the side, the state of the connection above, messages at the edge.

import { effect, signal, useComputed } from '@preact/signals';

import { connection } from '../api/client';
import { signOut, username } from '../api/session';
import { Board } from '../state/board';
import { boards, loadHome, start, startFailure, theme, workspaces, type Theme } from '../state/home';
import { OpenCard } from '../state/card';
import { waiting } from '../state/inbox';
import { boardId, cardId, go, href, replace, runId, view } from '../state/route';
import { dismiss, toasts } from '../state/toasts';
import { Icon } from '../ui/icons';
import { Avatar, nameOf } from '../ui/people';
import { BoardView } from './board';
import { Charts } from './charts';
import { Drawer } from './drawer';
import { Inbox } from './inbox';
import { RunView } from './run';
import { isSearching, Search } from './search';
import { SignIn } from './signin';

/** The board that is shown; it lives as long as the view of it. */
const board = signal<Board | null>(null);
const isMenuOpen = signal(false);

effect(() => {
  const id = username.value ? boardId.value : null;
  const current = board.peek();
  if (current?.id === id) return;
  current?.close();
  board.value = id ? new Board(id) : null;
});
/** The card that is open beside the board. */
const card = signal<OpenCard | null>(null);
effect(() => {
  const id = cardId.value;
  const on = board.value;
  const current = card.peek();
  if (current?.id === id && current?.board === on) return;
  current?.close();
  card.value = id && on ? new OpenCard(on, id) : null;
});
effect(() => {
  if (username.value) void loadHome();
  else start.value = null;
});
effect(() => {
  const [first] = boards.value;
  if (first && view.value === '') replace('boards', first.id);
});

export function App({ why }: { why: string | null }) {
  if (!username.value) return <SignIn why={why} />;
  return (
    <div class={`frame ${isMenuOpen.value ? 'has-menu' : ''}`}>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById('main')?.focus())}>
        To the board
      </a>
      <Sidebar />
      <main id="main" tabIndex={-1}>
        <TopBar />
        <Banner />
        <View />
      </main>
      {board.value && card.value && !runId.value && <Drawer board={board.value} open={card.value} />}
      <Search board={board.value} />
      <Toasts />
    </div>
  );
}

function View() {
  const current = board.value;
  if (view.value === 'inbox') return <Inbox />;
  if (view.value === 'charts') return <Charts />;
  if (!current) return null;
  if (runId.value) return <RunView key={runId.value} board={current} id={runId.value} />;
  return <BoardView key={current.id} board={current} />;
}

function Sidebar() {
  return (
    <nav class="side" aria-label="Boards" onClick={() => (isMenuOpen.value = false)}>
      <div class="brand">
        <img src={new URL('../../signal.svg', import.meta.url).href} alt="" width="22" height="22" />
        Signalbox
      </div>
      <ul>
        <li>
          <button class="quiet row" onClick={() => (isSearching.value = true)}>
            <Icon name="search" />
            <span class="grow">Search</span>
            <kbd>/</kbd>
          </button>
        </li>
        <li>
          <a href="#/inbox" aria-current={view.value === 'inbox' ? 'page' : undefined}>
            <Icon name="inbox" />
            <span class="grow">Inbox</span>
            {waiting.value > 0 && <span class="badge">{waiting}</span>}
          </a>
        </li>
        <li>
          <a href="#/charts" aria-current={view.value === 'charts' ? 'page' : undefined}>
            <Icon name="chart" />
            Charts
          </a>
        </li>
      </ul>
      {workspaces.value.filter((it) => it.boards.nodes.length).map((workspace) => (
        <section key={workspace.id}>
          <h2>{workspace.name}</h2>
          <ul>
            {workspace.boards.nodes.map((it) => (
              <li key={it.id}>
                <a href={href('boards', it.id)} aria-current={boardId.value === it.id ? 'page' : undefined}>
                  <span class="key">{it.key}</span>
                  <span class="grow">{it.name}</span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      ))}
      {startFailure.value && <p class="notice">{startFailure.value}</p>}
      <div class="foot">
        <a href="graphql">
          <Icon name="code" />
          GraphiQL
        </a>
        <ThemeButton />
        <Me />
      </div>
    </nav>
  );
}

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

const ThemeButton = () => (
  <button class="quiet row" onClick={() => (theme.value = NEXT[theme.value])}>
    <Icon name={theme.value === 'light' ? 'sun' : theme.value === 'dark' ? 'moon' : 'half'} />
    {theme.value === 'system' ? 'System theme' : theme.value === 'light' ? 'Light theme' : 'Dark theme'}
  </button>
);

function Me() {
  const user = start.value?.viewer.user;
  return (
    <div class="me">
      {user && <Avatar person={user} />}
      <span class="grow">{user ? nameOf(user) : username.value}</span>
      <button class="quiet" onClick={() => void signOut().then(() => go())}>
        Sign out
      </button>
    </div>
  );
}

const TITLES: Record<string, string> = { inbox: 'Inbox', charts: 'Charts' };

function TopBar() {
  const facts = board.value?.facts.value;
  return (
    <header class="top">
      <button class="quiet menu-button" aria-label="Boards" aria-expanded={isMenuOpen.value} onClick={() => (isMenuOpen.value = !isMenuOpen.value)}>
        <Icon name="menu" />
      </button>
      <div class="title">
        <h1>{TITLES[view.value] ?? facts?.name ?? 'Signalbox'}</h1>
        {view.value === 'boards' && facts?.description && <p>{facts.description}</p>}
      </div>
      <Live />
    </header>
  );
}

function Live() {
  const state = connection.value;
  return (
    <span class={`live live-${state}`} title={board.value ? `Event ${board.value.seq.value}` : undefined}>
      <span class="agent-dot" aria-hidden="true" />
      {state === 'open' ? 'Live' : state === 'lost' ? 'Offline' : 'Connecting'}
    </span>
  );
}

/** Says that what is shown may be old, and nothing else: the feed goes on from where it was. */
function Banner() {
  const isLost = useComputed(() => connection.value === 'lost');
  if (!isLost.value) return null;
  return (
    <p class="banner" role="status">
      The connection to the server is lost. The board goes on from where it was as soon as the server answers.
    </p>
  );
}

const Toasts = () => (
  <div class="toasts" role="region" aria-label="Messages" aria-live="polite">
    {toasts.value.map(({ id, title, details, kind }) => (
      <div key={id} class={`toast toast-${kind}`}>
        <strong>{title}</strong>
        {details.map((detail) => (
          <p key={detail}>{detail}</p>
        ))}
        <button class="quiet" aria-label="Dismiss" onClick={() => dismiss(id)}>
          <Icon name="close" size={14} />
        </button>
      </div>
    ))}
  </div>
);
