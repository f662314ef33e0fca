// The login of this browser: what a sign-in link or a password was exchanged for.
//
// It stands in local storage, in the form that GraphiQL at /graphql keeps it in, so that one login serves both pages
// and every tab. The page runs no script but its own (script-src 'self'), and no other origin reads this storage.

import { computed, signal } from '@preact/signals';

import { RedeemDocument, RefreshDocument, SignInDocument, SignOutDocument } from './generated';
import { send } from './http';

const KEY = 'signalbox:session';
const MARGIN_SECONDS = 60; // an access token is refreshed this long before it ends

interface Session {
  accessToken: string;
  expiresAt: string;
  refreshToken: string;
  username: string;
}

type Granted =
  | { __typename: 'Session'; accessToken: string; expiresAt: string; refreshToken: string; user: { username: string } }
  | { __typename: string; message: string };

const stored = (): Session | null => JSON.parse(localStorage.getItem(KEY) ?? 'null') as Session | null;

/** The session of this browser, null when nobody is signed in. Changes of other tabs arrive here too. */
export const session = signal<Session | null>(stored());
export const username = computed(() => session.value?.username ?? null);

addEventListener('storage', ({ key }) => {
  if (key === KEY || key === null) session.value = stored();
});

function store(next: Session | null): void {
  if (next) localStorage.setItem(KEY, JSON.stringify(next));
  else localStorage.removeItem(KEY);
  session.value = next;
}

/** Keep a granted session. Returns the server's reason if it granted none. */
function accept(granted: Granted): string | null {
  if (!('accessToken' in granted)) return granted.message;
  const { accessToken, expiresAt, refreshToken, user } = granted;
  store({ accessToken, expiresAt, refreshToken, username: user.username });
  return null;
}

/** Exchange the token of a sign-in link, `#token=…`, for a session. Returns the reason if that failed. */
export async function redeemLink(): Promise<string | null> {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) return null;
  history.replaceState(history.state, '', location.pathname + location.search); // before anything else sees it
  try {
    return accept((await send(RedeemDocument, { token })).redeemSignInLink as Granted);
  } catch (error) {
    return `The link was not redeemed: ${(error as Error).message}`;
  }
}

export async function signIn(name: string, password: string): Promise<string | null> {
  try {
    return accept((await send(SignInDocument, { username: name, password })).login as Granted);
  } catch (error) {
    return (error as Error).message;
  }
}

export async function signOut(): Promise<void> {
  const ended = stored();
  store(null);
  if (ended) await send(SignOutDocument, { token: ended.refreshToken });
}

/** One tab at a time spends a refresh token, and the others find what it was given. */
const alone = (work: () => Promise<void>): Promise<unknown> =>
  navigator.locks ? navigator.locks.request(KEY, work) : work();

async function refresh(spent: string): Promise<void> {
  await alone(async () => {
    const current = stored();
    if (!current || current.accessToken !== spent) {
      session.value = current; // another tab was faster
      return;
    }
    const granted = (await send(RefreshDocument, { token: current.refreshToken })).refreshSession as Granted;
    if (accept(granted) !== null && stored()?.refreshToken === current.refreshToken) store(null);
  });
}

const secondsLeft = (of: Session): number => (Date.parse(of.expiresAt) - Date.now()) / 1000 - MARGIN_SECONDS;

/** Milliseconds until the access token should be replaced. */
export const freshFor = (): number => Math.max(0, session.value ? secondsLeft(session.value) * 1000 : 0);

/**
 * The bearer token for the next request, or undefined if nobody is signed in.
 *
 * `refused` is a token that the server did not take: it is replaced whatever its time.
 */
export async function freshToken(refused?: string): Promise<string | undefined> {
  const current = stored();
  if (!current) return undefined;
  if (secondsLeft(current) <= 0 || current.accessToken === refused) await refresh(current.accessToken);
  return stored()?.accessToken;
}
