/** Tokens that Istio and Envoy test with, brought by a request to a sidecar with one rule for their issuer. */

import { join } from "node:path";
import { STANDARD_LOCATIONS } from "../../../src/api/request-authentication.ts";
import { RequestAuthenticator } from "../../../src/jwt/request-authenticator.ts";
import { readTokenKeys } from "../../../src/jwt/token-keys.ts";
import type { ProviderResult } from "../../../src/jwt/token-requirement.ts";
import { VerifiedTokens } from "../../../src/jwt/verified-tokens.ts";
import { readJson } from "../networkpolicy.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type IstioCase = ConformanceCase & {
  readonly tokenRef: string;
  readonly jwksRef: string;
  readonly issuer: string;
  readonly expected: string;
};

type EnvoyCase = ConformanceCase & {
  readonly tokenRef: string;
  readonly expected: "accept" | "reject";
  /** In words of the suite's own. */
  readonly reason: string;
};

interface EnvoyFixture {
  readonly jwks: unknown;
  readonly provider: { readonly issuer: string; readonly audiences: readonly string[] };
}

interface Brought {
  readonly token: string;
  readonly jwks: unknown;
  readonly issuer: string;
  readonly audiences: readonly string[];
}

export const tokenVerification: TableRunner = table<IstioCase>({
  fields: ["tokenRef", "jwksRef", "issuer", "expected"],
  async run({ tokenRef, jwksRef, issuer, expected }, folder) {
    const token = String(fixtureAt(tokenRef, folder));
    const jwks = fixtureAt(jwksRef, folder);
    const result = await resultOf({ token, jwks, issuer, audiences: [] });
    return compare({ expected, got: result === "good" ? "valid" : result });
  },
});

/** What a problem is called in the table; any other is a rejection, and no more is told of it. */
const REASONS: Partial<Readonly<Record<ProviderResult, string>>> = {
  good: "ok",
  expired: "expired",
  audience: "audience-not-allowed",
};

export const envoyJwtVerify: TableRunner = table<EnvoyCase>({
  fields: ["tokenRef", "expected", "reason"],
  async run({ tokenRef, expected, reason }, folder) {
    const token = String(fixtureAt(tokenRef, folder));
    const { jwks, provider } = readJson<EnvoyFixture>(join(folder, "fixtures/envoy-jwt.json"));
    const result = await resultOf({ token, jwks, ...provider });
    const told = Object.values(REASONS).includes(reason);
    const why = told ? (REASONS[result] ?? result) : reason;
    const got = result === "good" ? "accept" : "reject";
    return compare({ expected: `${expected}: ${reason}`, got: `${got}: ${why}` });
  },
});

async function resultOf({ token, jwks, issuer, audiences }: Brought): Promise<ProviderResult> {
  const keys = readTokenKeys(JSON.stringify(jwks));
  const rule = {
    issuer,
    audiences,
    keys,
    places: STANDARD_LOCATIONS,
    presence: "OPTIONAL",
  } as const;
  const authenticator = new RequestAuthenticator([rule], new VerifiedTokens());
  const bearer = {
    param: () => undefined,
    values: (name: string) => (name === "authorization" ? [`Bearer ${token}`] : []),
  };
  const { result } = await authenticator.authenticate(bearer, new Date());
  return result;
}

/** @param reference `FILE#/MEMBER/MEMBER` */
function fixtureAt(reference: string, folder: string): unknown {
  const [file = "", pointer = ""] = reference.split("#");
  let value = readJson<unknown>(join(folder, file));
  for (const member of pointer.split("/").slice(1)) {
    const known = typeof value === "object" && value !== null && Object.hasOwn(value, member);
    if (!known) throw new Error(`${reference} names no fixture`);
    value = (value as Readonly<Record<string, unknown>>)[member];
  }
  return value;
}
