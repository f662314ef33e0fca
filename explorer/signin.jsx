import { useState, useSyncExternalStore } from 'react';

import { login, logout, snapshot, subscribe, usernameIn } from './session.js';

/** Says who is signed in, or how to. `why` is what became of the link that the page was opened with. */
export function SignIn({ why }) {
  const username = usernameIn(useSyncExternalStore(subscribe, snapshot));
  const [message, setMessage] = useState(why);

  async function submit(event) {
    event.preventDefault();
    const given = new FormData(event.target);
    setMessage(await login(given.get('username'), given.get('password')));
  }

  if (username)
    return (
      <div className="session">
        <span>Signed in as {username}</span>
        <button onClick={() => logout().catch((error) => setMessage(error.message))}>Sign out</button>
      </div>
    );
  return (
    <div className="session" role="status">
      <span>
        {message && <strong>{message}. </strong>}
        You are not signed in. Open the link that the server printed: <code>python server.py link</code>{' '}
        prints a new one (<code>link --demo</code> for the demo).
      </span>
      <form onSubmit={submit}>
        <input name="username" placeholder="Username" autoComplete="username" required />
        <input name="password" type="password" placeholder="Password" autoComplete="current-password" required />
        <button>Sign in</button>
      </form>
    </div>
  );
}
