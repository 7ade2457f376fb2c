/** Header fields in the order and case they came in; the hop-by-hop ones never enter (RFC 9110 section 7.6.1). */

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
/** What a peer may not have removed by naming it in `Connection`: it says where a message goes, or where it ends. */
const NEVER_HOP_BY_HOP: ReadonlySet<string> = new Set(["host", "content-length"]);

export class HeaderList {
  /** Name, value, name, value, as `rawHeaders` of node:http. */
  #flat: string[];
  private constructor(flat: string[]) {
    this.#flat = flat;
  }

  /** @param raw name, value, name, value */
  static endToEnd(raw: readonly string[]): HeaderList {
    const named = connectionOptions(raw);
    const flat: string[] = [];
    for (let at = 0; at + 1 < raw.length; at += 2) {
      const name = raw[at] ?? "";
      const key = name.toLowerCase();
      if (HOP_BY_HOP.has(key) || (named.has(key) && !NEVER_HOP_BY_HOP.has(key))) continue;
      flat.push(name, raw[at + 1] ?? "");
    }
    return new HeaderList(flat);
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

  /** A copy: name, value, name, value. */
  flat(): string[] {
    return [...this.#flat];
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

function connectionOptions(raw: readonly string[]): Set<string> {
  const options = headerValues(raw, "connection").flatMap((value) => value.split(","));
  return new Set(options.map((option) => option.trim().toLowerCase()));
}
