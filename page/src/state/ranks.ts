// Order by rank. The server computes fractional indices with the same library, so an optimistic rank is the final one
// unless somebody else placed a card there at the same moment.

import { generateKeyBetween } from 'fractional-indexing';

export interface Ranked {
  id: string;
  rank: string;
}

/** Ranks are compared byte by byte, never by a locale's order. */
export const byRank = (a: Ranked, b: Ranked): number =>
  a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;

export function rankBetween(left: string | undefined, right: string | undefined): string {
  try {
    return generateKeyBetween(left ?? null, right ?? null);
  } catch {
    return left ?? right ?? 'a0'; // equal neighbours, until the server rewrites them
  }
}
