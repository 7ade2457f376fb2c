/** Whether a case's request carries a token that the callee's proxy knows, and what is in it. */
import { join } from "node:path";
import type { JwtRule, TokenLocations } from "../../../src/api/request-authentication.ts";
import { effectiveRequestAuthentications } from "../../../src/policy/effective-policy.ts";
import type { MeshSnapshot } from "../../../src/policy/mesh-snapshot.ts";
import type { TokenPayload } from "../../../src/policy/traffic.ts";
import type { Workload } from "../../../src/policy/workload.ts";
import { readJson } from "../networkpolicy.ts";

/** "refused": a token is there, and verifying it is what the case is about. */
export type AskedToken = { readonly payload: TokenPayload } | "none" | "refused";

interface FixtureToken {
  readonly token: string;
  readonly payload: TokenPayload;
  readonly payloadB64: string;
  readonly header: { readonly kid?: string };
}

export interface TokenFixtures {
  readonly tokens: Readonly<Record<string, FixtureToken>>;
  /** Where the keys that signed them are served. */
  readonly jwksURI: string;
}

export function tokenFixtures(folder: string): TokenFixtures {
  const { tokens } = readJson<Pick<TokenFixtures, "tokens">>(join(folder, "fixtures/tokens.json"));
  const { jwksURI } = readJson<{ jwksURI: string }>(join(folder, "fixtures/topology.json"));
  return { tokens, jwksURI };
}

/** `${Name}` and `${payload:Name}` in a text. */
export function withTokens(text: string, { tokens }: TokenFixtures): string {
  return text.replace(/\$\{(payload:)?(\w+)\}/g, (written, payload, name: string) => {
    const fixture = tokens[name];
    if (fixture === undefined) throw new Error(`${written} names no fixture`);
    return payload === undefined ? fixture.token : fixture.payloadB64;
  });
}

/** A request as it is sent; header names in lower case. */
export interface SentRequest {
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
}

export function askedToken(
  request: SentRequest,
  {
    snapshot,
    to,
    fixtures,
  }: { readonly snapshot: MeshSnapshot; readonly to: Workload; readonly fixtures: TokenFixtures },
): AskedToken {
  const rules = effectiveRequestAuthentications(snapshot, to).map(({ rule }) => rule);
  const found = rules.flatMap((rule) => tokensAt(rule, request).map((token) => ({ rule, token })));
  if (found.length === 0) return "none";
  for (const { rule, token } of found) {
    const fixture = Object.values(fixtures.tokens).find((candidate) => candidate.token === token);
    if (fixture !== undefined && isAccepted(fixture, rule, fixtures)) {
      return { payload: fixture.payload };
    }
  }
  return "refused";
}

const STANDARD: TokenLocations = {
  headers: [{ name: "authorization", prefix: "Bearer " }],
  params: ["access_token"],
  cookies: [],
};
const TOKEN = /^[^A-Za-z0-9_.-]*([A-Za-z0-9_.-]+)/;

/** JWT-11..JWT-14 */
function tokensAt({ locations }: JwtRule, { path, headers }: SentRequest): readonly string[] {
  const { headers: named, params, cookies } = locations === "standard" ? STANDARD : locations;
  const query = new URLSearchParams(path.split("?", 2)[1] ?? "");
  const sent = new URLSearchParams(headers.get("cookie")?.replace(/;\s*/g, "&") ?? "");
  return [
    ...named.flatMap(({ name, prefix }) => tokenBehind(prefix, headers.get(name.toLowerCase()))),
    ...params.flatMap((name) => query.getAll(name).slice(0, 1)),
    ...cookies.flatMap((name) => sent.getAll(name)),
  ];
}

function tokenBehind(prefix: string, value: string | undefined): readonly string[] {
  const at = value?.indexOf(prefix) ?? -1;
  const [, token] = TOKEN.exec(at < 0 ? "" : (value?.slice(at + prefix.length) ?? "")) ?? [];
  return token === undefined ? [] : [token];
}

function isAccepted(
  { payload, header }: FixtureToken,
  rule: JwtRule,
  { jwksURI }: TokenFixtures,
): boolean {
  const { iss, aud = [], exp } = payload;
  if (rule.issuer !== "" && rule.issuer !== iss) return false;
  if (typeof exp === "number" && exp * 1_000 < Date.now()) return false;
  const audiences = [aud].flat();
  if (rule.audiences.length > 0 && !rule.audiences.some((one) => audiences.includes(one)))
    return false;
  const { keys } = rule;
  if (keys.from === "inline") return header.kid !== undefined && keys.jwks.includes(header.kid);
  return keys.from === "uri" && keys.uri === jwksURI;
}
