/**
 * The claims of a token as they may be told: who issued it, for whom and for how long in plain text, all others by a hash. Its salt is
 * made anew for each answer, so that nobody finds out values by trying; equal values of one answer look alike.
 */
import { createHash, randomBytes } from "node:crypto";
import type { TokenPayload } from "../../policy/traffic.ts";

/** Claims that say nothing of the user. */
const TOLD: ReadonlySet<string> = new Set(["iss", "aud", "azp", "exp", "nbf", "iat"]);
const HEX_DIGITS = 12;
const SALT_BYTES = 16;
const MAX_CLAIMS = 64;
/** A shorter text is found inside of others by chance. */
const MIN_FOUND_INSIDE = 3;

export type ShowClaims = "hashed" | "shown";

export class ToldClaims {
  readonly #how: ShowClaims;
  readonly #salt: Buffer = randomBytes(SALT_BYTES);

  constructor(how: ShowClaims) {
    this.#how = how;
  }

  /** By name, in their order; no more than 64. */
  tell(payload: TokenPayload): Readonly<Record<string, unknown>> {
    const claims = Object.entries(payload).slice(0, MAX_CLAIMS);
    return Object.fromEntries(
      claims.map(([name, value]) => [name, this.#isTold(name) ? value : this.#hash(value)]),
    );
  }

  /** What else holds a value of a claim that is not told, such as what a policy got. */
  conceal(text: string, payload: TokenPayload): string {
    let concealed = text;
    for (const value of Object.entries(payload).flatMap((claim) => this.#hidden(claim))) {
      if (concealed === value) concealed = this.#hash(value);
      else if (value.length >= MIN_FOUND_INSIDE)
        concealed = concealed.replaceAll(value, () => this.#hash(value));
    }
    return concealed;
  }

  #hidden([name, value]: readonly [string, unknown]): readonly string[] {
    if (this.#isTold(name)) return [];
    return typeof value === "string" ? [value] : [];
  }

  #isTold(name: string): boolean {
    return this.#how === "shown" || TOLD.has(name);
  }

  #hash(value: unknown): string {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const hash = createHash("sha256").update(this.#salt).update(text).digest("hex");
    return `sha256:${hash.slice(0, HEX_DIGITS)}`;
  }
}
