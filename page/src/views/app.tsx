// The frame around every view: boards at the side, the state of the connection above, messages at the edge.

import { effect, signal, useComputed } from '@preact/signals';

import { connection } from '../api/client';
import { signOut, username } from '../api/session';
import { Board } from '../state/board';
import { boards, loadHome, start, startFailure, theme, workspaces, type Theme } from '../state/home';
import { boardId, go, href, replace, view } from '../state/route';
import { dismiss, toasts } from '../state/toasts';
import { Icon } from '../ui/icons';
import { Avatar, nameOf } from '../ui/people';
import { BoardView } from './board';
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
        {view.value === 'boards' && board.value && <BoardView key={board.value.id} board={board.value} />}
      </main>
      <Toasts />
    </div>
  );
}

function Sidebar() {
  return (
    <nav class="side" aria-label="Boards" onClick={() => (isMenuOpen.value = false)}>
      <div class="brand">
        <img src={new URL('../../signal.svg', import.meta.url).href} alt="" width="22" height="22" />
        Signalbox
      </div>
      {workspaces.value.map((workspace) => (
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

function TopBar() {
  const facts = board.value?.facts.value;
  return (
    <header class="top">
      <button class="quiet menu-button" aria-label="Boards" aria-expanded={isMenuOpen.value} onClick={() => (isMenuOpen.value = !isMenuOpen.value)}>
        <Icon name="menu" />
      </button>
      <div class="title">
        <h1>{facts?.name ?? 'Signalbox'}</h1>
        {facts?.description && <p>{facts.description}</p>}
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
