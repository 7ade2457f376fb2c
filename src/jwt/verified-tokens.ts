/**
 * Tokens whose signature was verified, so that the next request that brings one costs no signature. Only good ones are kept: what
 * anybody can make up must not push out what somebody has signed.
 */
import { signatureProblem } from "./check-token.ts";
import type { ReadToken } from "./read-token.ts";
import type { TokenKey } from "./token-keys.ts";
import type { TokenProblem } from "./token-status.ts";

type Keys = readonly TokenKey[];

export interface VerifiedTokensBounds {
  readonly tokens: number;
  /** Of all together: longer tokens are rare, and many of them would fill the memory. */
  readonly characters: number;
  /** Signatures being verified: each keeps a request waiting, and whoever forges tokens has any number of them. */
  readonly underWay: number;
}

const BOUNDS: VerifiedTokensBounds = { tokens: 4_096, characters: 4_194_304, underWay: 1_024 };

export class VerifiedTokens {
  readonly #bounds: VerifiedTokensBounds;
  /** Those used last are at its end. By the text: the whole of it was signed. */
  readonly #known = new Map<string, { readonly token: ReadToken; readonly by: Keys }>();
  /** Under way: many requests may bring the same token at once. */
  readonly #pending = new Map<
    string,
    { readonly by: Keys | undefined; readonly problem: Promise<TokenProblem | undefined> }
  >();
  #characters = 0;
  #underWay = 0;

  constructor(bounds: Partial<VerifiedTokensBounds> = {}) {
    this.#bounds = { ...BOUNDS, ...bounds };
  }

  /** @returns the token, if one of `keys` is known to have signed it */
  find(text: string, keys: Keys): ReadToken | undefined {
    const known = this.#known.get(text);
    if (known === undefined || known.by !== keys) return undefined;
    this.#known.delete(text);
    this.#known.set(text, known);
    return known.token;
  }

  /** @returns undefined: one of the keys has signed it; "busy": too many are under way, and it was not looked at */
  async verify(token: ReadToken, keys: Keys | undefined): Promise<TokenProblem | undefined> {
    if (keys !== undefined && this.find(token.text, keys) !== undefined) return undefined;
    const pending = this.#pending.get(token.text);
    if (pending !== undefined && pending.by === keys) return pending.problem;
    if (this.#underWay >= this.#bounds.underWay) return "busy";
    const problem = this.#verify(token, keys);
    this.#pending.set(token.text, { by: keys, problem });
    return problem;
  }

  async #verify(token: ReadToken, keys: Keys | undefined): Promise<TokenProblem | undefined> {
    this.#underWay++;
    try {
      const problem = await signatureProblem(token, keys);
      if (problem === undefined && keys !== undefined) this.#keep(token, keys);
      return problem;
    } finally {
      this.#underWay--;
      this.#pending.delete(token.text);
    }
  }

  #keep(token: ReadToken, by: Keys): void {
    if (!this.#known.delete(token.text)) this.#characters += token.text.length;
    this.#known.set(token.text, { token, by });
    const { tokens, characters } = this.#bounds;
    for (const text of this.#known.keys()) {
      if (this.#known.size <= tokens && this.#characters <= characters) return;
      this.#known.delete(text);
      this.#characters -= text.length;
    }
  }
}
