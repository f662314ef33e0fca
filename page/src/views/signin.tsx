// The first view of somebody who is not signed in.

import { useSignal } from '@preact/signals';

import { signIn } from '../api/session';

export function SignIn({ why }: { why: string | null }) {
  const message = useSignal(why);
  const isBusy = useSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    isBusy.value = true;
    message.value = await signIn(given.get('username') as string, given.get('password') as string);
    isBusy.value = false;
  };
  return (
    <main class="signin">
      <form onSubmit={submit}>
        <img src={new URL('../../signal.svg', import.meta.url).href} alt="" width="40" height="40" />
        <h1>Signalbox</h1>
        <p>
          Open the link that the server printed. <code>python server.py link</code> prints a new one (
          <code>link --demo</code> for the demo).
        </p>
        {message.value && (
          <p class="refused" role="alert">
            {message}
          </p>
        )}
        <label>
          Username
          <input name="username" autoComplete="username" required />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <button class="primary" disabled={isBusy.value}>
          Sign in
        </button>
        <a href="graphql">GraphiQL</a>
      </form>
    </main>
  );
}
