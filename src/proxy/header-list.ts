/**
 * Header fields in the order and case they came in. What is judged is what was received; the hop-by-hop ones are left
 * out only where a message goes on (RFC 9110 section 7.6.1).
 */

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
]);
/**
 * What a peer may not have removed by naming it in `Connection`: it says where a message goes, where it ends, or who
 * sent it and for whom. The same holds for everything that begins with `x-forwarded-`, or is no ordinary field.
 */
const NEVER_NOMINATED: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "authorization",
  "cookie",
  "forwarded",
  "x-request-id",
]);
const NEVER_NOMINATED_PREFIX = /^(?:x-forwarded-|:)/;

export class HeaderList {
  /** Name, value, name, value, as `rawHeaders` of node:http. */
  #flat: string[];

  /** @param raw name, value, name, value */
  constructor(raw: readonly string[]) {
    this.#flat = [...raw];
  }

  /**
   * @param name lower case
   * @returns all values joined with "," (AP-80)
   */
  get(name: string): string | undefined {
    let joined: string | undefined;
    for (let at = 0; at < this.#flat.length; at += 2) {
      if (this.#flat[at]?.toLowerCase() !== name) continue;
      const value = this.#flat[at + 1] ?? "";
      joined = joined === undefined ? value : `${joined},${value}`;
    }
    return joined;
  }

  /** Replaces every field of that name. */
  set(name: string, value: string): void {
    this.remove(name);
    this.#flat.push(name, value);
  }

  remove(name: string): void {
    const key = name.toLowerCase();
    const kept: string[] = [];
    for (let at = 0; at < this.#flat.length; at += 2) {
      if (this.#flat[at]?.toLowerCase() !== key)
        kept.push(this.#flat[at] ?? "", this.#flat[at + 1] ?? "");
    }
    this.#flat = kept;
  }

  /** What goes on: name, value, name, value, without the hop-by-hop fields and those that `Connection` names. */
  endToEnd(): string[] {
    const nominated = connectionOptions(this.#flat);
    const kept: string[] = [];
    for (let at = 0; at + 1 < this.#flat.length; at += 2) {
      const name = this.#flat[at] ?? "";
      const key = name.toLowerCase();
      if (HOP_BY_HOP.has(key) || (nominated.has(key) && mayBeNominated(key))) continue;
      kept.push(name, this.#flat[at + 1] ?? "");
    }
    return kept;
  }
}

/** All values of one name, in order. */
export function headerValues(raw: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() === name) values.push(raw[at + 1] ?? "");
  }
  return values;
}

function mayBeNominated(name: string): boolean {
  return !NEVER_NOMINATED.has(name) && !NEVER_NOMINATED_PREFIX.test(name);
}

function connectionOptions(raw: readonly string[]): Set<string> {
  const options = headerValues(raw, "connection").flatMap((value) => value.split(","));
  return new Set(options.map((option) => option.trim().toLowerCase()));
}
