// The login of this browser: what the sign-in link or a password was exchanged for.
//
// It is in local storage, so that every tab and window of this origin has it. The page runs no script but its own
// (script-src 'self'), and no other origin reads this storage.

const KEPT = 'signalbox:session';
const MARGIN_SECONDS = 60; // an access token is refreshed this long before it ends
const GRANTED = `__typename
  ... on Session { accessToken expiresAt refreshToken user { username } } ... on Refusal { message }`;
const REDEEM = `mutation Redeem($token: String!) { redeemSignInLink(input: {token: $token}) { ${GRANTED} } }`;
const LOGIN = `mutation Login($username: String!, $password: String!) {
  login(input: {username: $username, password: $password}) { ${GRANTED} } }`;
const REFRESH = `mutation Refresh($token: String!) { refreshSession(input: {refreshToken: $token}) { ${GRANTED} } }`;
const LOGOUT = 'mutation Logout($token: String!) { logout(input: {refreshToken: $token}) { __typename } }';

const listeners = new Set();

export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell() {
  for (const listener of listeners) listener();
}

addEventListener('storage', ({ key }) => (key === KEPT || key === null) && tell());

/** The text that is kept, or null; the same text as long as nothing changed. */
export const snapshot = () => localStorage.getItem(KEPT);

const kept = () => JSON.parse(snapshot());

export const usernameIn = (text) => text && JSON.parse(text).username;

function keep(session) {
  if (session) localStorage.setItem(KEPT, JSON.stringify(session));
  else localStorage.removeItem(KEPT);
  tell();
}

/** What the only field of a mutation answers. Throws when there is no answer, or one that says to try again. */
async function ask(query, variables) {
  const answer = await fetch(location.pathname, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'graphql-require-preflight': '1' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (!data) throw new Error(errors[0].message);
  return Object.values(data)[0];
}

/** Keep the session that was granted, or return why there is none. */
function accept(granted) {
  if (granted.__typename !== 'Session') return granted.message;
  const { accessToken, expiresAt, refreshToken, user } = granted;
  keep({ accessToken, expiresAt, refreshToken, username: user.username });
  return null;
}

/** Exchange the token in the address for a session. Returns why that failed, if it did. */
export async function redeemLink() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) return null;
  history.replaceState(history.state, '', location.pathname + location.search); // before anything else sees it
  try {
    return accept(await ask(REDEEM, { token }));
  } catch (error) {
    return `The link was not redeemed: ${error.message}`;
  }
}

export async function login(username, password) {
  try {
    return accept(await ask(LOGIN, { username, password }));
  } catch (error) {
    return error.message;
  }
}

export async function logout() {
  const session = kept();
  keep(null);
  if (session) await ask(LOGOUT, { token: session.refreshToken });
}

/** One tab at a time spends the refresh token, and the others find what it was given. */
const alone = (work) => (navigator.locks ? navigator.locks.request(KEPT, work) : work());

function refresh(spent) {
  return alone(async () => {
    const session = kept();
    if (!session || session.accessToken !== spent) return; // another tab was faster
    const granted = await ask(REFRESH, { token: session.refreshToken });
    if (accept(granted) !== null && kept()?.refreshToken === session.refreshToken) keep(null);
  });
}

/**
 * The Authorization of a request, or undefined when nobody is signed in.
 *
 * `refused`: the header that the server did not take, so that another is asked for.
 */
export async function authorization(refused) {
  const session = kept();
  if (!session) return undefined;
  const endsSoon = Date.parse(session.expiresAt) - Date.now() < MARGIN_SECONDS * 1000;
  if (endsSoon || refused === `Bearer ${session.accessToken}`) await refresh(session.accessToken);
  const now = kept();
  return now ? `Bearer ${now.accessToken}` : undefined;
}
