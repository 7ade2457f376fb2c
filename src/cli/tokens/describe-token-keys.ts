/** The keys that the tokens of each issuer are verified with at one workload: which, from where, how old. */
import { tellKey } from "../../jwt/token-checks.ts";
import { readTokenKeys } from "../../jwt/token-keys.ts";
import type { MeshSnapshot } from "../../policy/mesh-snapshot.ts";
import type { PolicySubject } from "../../policy/policy-selection.ts";
import { keyOriginInWords } from "./format-key-origin.ts";
import { type TokenKeyOptions, tokenKeysAtHand, tokenRulesWithKeys } from "./token-keys-at-hand.ts";

export interface DescribedTokenKeys {
  readonly words: string;
  /** For programs. */
  readonly data: object;
}

/** More are counted. */
const MAX_NAMED = 8;

/** One for each rule that applies, in their order. */
export async function describeTokenKeys(
  snapshot: MeshSnapshot,
  subject: PolicySubject,
  options: TokenKeyOptions,
): Promise<readonly DescribedTokenKeys[]> {
  const origins = await tokenKeysAtHand(snapshot, subject, options);
  const rules = tokenRulesWithKeys(snapshot, subject, origins);
  const now = new Date();
  return rules.map(({ jwks }, index) => {
    const { ...origin } = origins[index] ?? { from: "rule" as const };
    const keys = jwks === undefined ? [] : readTokenKeys(jwks).map(tellKey);
    const words = [...namesOf(keys), keyOriginInWords(origin, now)].join(", ");
    const { jwks: _public, ...facts } = { jwks: undefined, ...origin };
    return { words, data: { ...facts, keys } };
  });
}

function namesOf(keys: readonly string[]): readonly string[] {
  const others = keys.length - MAX_NAMED;
  return [...keys.slice(0, MAX_NAMED), ...(others > 0 ? [`${others} more`] : [])];
}
