// The values GraphiQL keeps as JSON; it keeps the text of the open editors bare.
const STRUCTURED = /:(tabState|queries|favorites)$/;
const SECRET = /((?:password|secret|token)\w*"?\s*:\s*)"(?:[^"\\]|\\.)*"/gi;

const redacted = (text) => text.replace(SECRET, '$1""');

function safe(key, value) {
  if (!STRUCTURED.test(key)) return redacted(value);
  const kept = JSON.parse(value, (name, part) => {
    if (name === 'headers') return null;
    return typeof part === 'string' ? redacted(part) : part;
  });
  return JSON.stringify(kept);
}

/**
 * Local storage that no secret reaches.
 *
 * `shouldPersistHeaders={false}` is not enough: the history plugin writes the headers of every
 * operation all the same, and the variables of a login hold a password.
 */
export const storage = {
  get length() {
    return localStorage.length;
  },
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, value) => localStorage.setItem(key, safe(key, value)),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => localStorage.clear(),
};
