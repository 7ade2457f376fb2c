/** Bodies that say whose they are, from the first octet to the last. */

const KNOWN = new Map();

/** @param id of the request that the body belongs to */
export function bodyOf(id, length) {
  const text = `${id};`;
  const filler = fillerOf(length);
  const body = Buffer.from(filler);
  if (length >= 2 * text.length) {
    body.write(text, 0, "latin1");
    body.write(text, length - text.length, "latin1");
  }
  return body;
}

function fillerOf(length) {
  const known = KNOWN.get(length);
  if (known !== undefined) return known;
  const made = Buffer.alloc(length, "0123456789abcdefghijklmnopqrstuvwxyz");
  KNOWN.set(length, made);
  return made;
}
