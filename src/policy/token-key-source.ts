/** Where the keys of token issuers are, for the control plane to fetch them and for views to name them (JWT-80). */
import type { JwtRule } from "../api/request-authentication.ts";
import type { Resource } from "../api/resource.ts";
import { ofKind } from "./mesh-snapshot.ts";

/** A key set that has to be fetched. */
export type TokenKeySource =
  | { readonly from: "uri"; readonly uri: string }
  /** By what the issuer tells of itself. */
  | { readonly from: "issuer"; readonly issuer: string };

export interface WantedKeySet {
  readonly source: TokenKeySource;
  /** The longest of all rules that name it counts. */
  readonly timeoutMs: number;
}

/** As text: of one source, and of no other. */
export function tokenKeySourceName(source: TokenKeySource): string {
  return source.from === "uri" ? source.uri : `issuer ${source.issuer}`;
}

/** @returns undefined: the keys are written into the rule */
export function tokenKeySource({ keys, issuer }: JwtRule): TokenKeySource | undefined {
  if (keys.from === "inline") return undefined;
  return keys.from === "uri" ? keys : { from: "issuer", issuer };
}

/** Each source once, in the order in which it is first named; whether its rule applies to anybody or not. */
export function wantedKeySets(resources: readonly Resource[]): readonly WantedKeySet[] {
  const wanted = new Map<string, WantedKeySet>();
  for (const rule of ofKind(resources, "RequestAuthentication").flatMap(({ rules }) => rules)) {
    const source = tokenKeySource(rule);
    if (source === undefined) continue;
    const name = tokenKeySourceName(source);
    const timeoutMs = Math.max(rule.timeoutMs, wanted.get(name)?.timeoutMs ?? 0);
    wanted.set(name, { source, timeoutMs });
  }
  return [...wanted.values()];
}
