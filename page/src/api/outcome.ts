// The answer of a mutation: the changed object, or a refusal. A refusal changed nothing and says why.

/** Any member of a mutation's union, as far as this page selects it. */
export interface Outcome {
  __typename?: string;
  message?: string;
  issues?: readonly { path: string; message: string }[];
  reasons?: readonly { message: string }[];
}

/** The sentences of a refusal, most specific first; null if the change was made. */
export function refusal(outcome: Outcome): string[] | null {
  if (!('message' in outcome) || outcome.message === undefined) return null;
  if (outcome.reasons?.length) return outcome.reasons.map(({ message }) => message);
  if (outcome.issues?.length) return outcome.issues.map(({ message }) => message);
  return [outcome.message];
}
