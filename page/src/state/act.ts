// A mutation whose refusal is told, and whose effect the feeds bring.

import { request } from '../api/client';
import type { TypedDocumentString } from '../api/generated';
import { refusal, type Outcome } from '../api/outcome';
import { tell } from './toasts';

/** Execute a mutation with one field named `outcome`. `title` is what a refusal is told under. */
export async function act<Variables>(
  title: string,
  document: TypedDocumentString<{ outcome: Outcome }, Variables>,
  variables: Variables,
  done?: string,
): Promise<boolean> {
  try {
    const why = refusal((await request(document, variables)).outcome);
    if (why) tell(title, why, 'refused');
    else if (done) tell(done);
    return why === null;
  } catch (error) {
    tell(title, [(error as Error).message], 'refused');
    return false;
  }
}
