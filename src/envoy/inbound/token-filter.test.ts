import assert from "node:assert/strict";
import { createHash, createPublicKey } from "node:crypto";
import { test } from "node:test";
import { STANDARD_LOCATIONS } from "../../api/request-authentication.ts";
import type { AppliedTokenRule } from "../../policy/workload-view.ts";
import { NOBODYS_KEY_TEXT, NOBODYS_KEYS, tokenFilters, tokenHeaders } from "./token-filter.ts";

function rule(fields: Partial<AppliedTokenRule> = {}): AppliedTokenRule {
  return {
    ref: { kind: "RequestAuthentication", namespace: "shop", name: "users" },
    source: { file: "users.yaml", line: 1 },
    issuer: "https://issuer.example",
    audiences: [],
    jwks: '{"keys":[]}',
    locations: STANDARD_LOCATIONS,
    presence: "OPTIONAL",
    afterwards: "removed",
    outputClaimToHeaders: [],
    spaceDelimitedClaims: [],
    ...fields,
  };
}

interface Written {
  readonly providers: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly rules: readonly { readonly match: object; readonly requires: object }[];
  readonly bypassCorsPreflight: boolean;
}

function written(...rules: readonly AppliedTokenRule[]): Written {
  const [filter] = tokenFilters(rules);
  return JSON.parse(JSON.stringify(filter?.typedConfig));
}

test("JWT-1: where no tokens are asked about there is no filter", () => {
  assert.deepEqual(tokenFilters([]), []);
  assert.deepEqual(tokenFilters(undefined), []);
});

const P0 = { providerName: "origins-0" };
const P1 = { providerName: "origins-1" };
const MISSING = { allowMissing: {} };
const anyOf = (...requirements: readonly object[]): object => ({ requiresAny: { requirements } });
const allOf = (...requirements: readonly object[]): object => ({ requiresAll: { requirements } });
const REQUIRED = { presence: "REQUIRED" } as const;
const WHATEVER = { allowMissingOrFailed: {} };

const REQUIREMENTS: readonly [string, readonly AppliedTokenRule[], object][] = [
  ["JWT-5: one, or none", [rule()], anyOf(P0, MISSING)],
  [
    "JWT-6: of several any, or each or none",
    [rule(), rule({ issuer: "https://other.example" })],
    anyOf(P0, P1, allOf(anyOf(P0, MISSING), anyOf(P1, MISSING))),
  ],
  [
    "JWT-7: two rules of one issuer are both kept",
    [rule(), rule()],
    anyOf(P0, P1, allOf(anyOf(P0, MISSING), anyOf(P1, MISSING))),
  ],
  ["JWT-9: one that has to be there", [rule(REQUIRED)], allOf(P0, WHATEVER)],
  [
    "JWT-9: of several that are required one has to be good",
    [rule(REQUIRED), rule(REQUIRED)],
    allOf(anyOf(P0, P1), WHATEVER),
  ],
  ["JWT-9: others are no fault", [rule(), rule(REQUIRED)], allOf(P1, anyOf(P0, WHATEVER))],
];

for (const [title, rules, requires] of REQUIREMENTS) {
  test(title, () => {
    assert.deepEqual(written(...rules).rules, [{ match: { prefix: "/" }, requires }]);
  });
}

test("JWT-11, JWT-70 to JWT-73: where tokens are, and what becomes of them", () => {
  const { providers } = written(
    rule({
      audiences: ["shop"],
      afterwards: "forwarded",
      outputPayloadToHeader: "X-Payload",
      outputClaimToHeaders: [{ header: "x-sub", claim: "sub" }],
      spaceDelimitedClaims: ["roles", "scope"],
      locations: { headers: [{ name: "x-jwt", prefix: "jwt " }], params: ["t"], cookies: ["c"] },
    }),
  );
  assert.deepEqual(providers["origins-0"], {
    issuer: "https://issuer.example",
    audiences: ["shop"],
    localJwks: { inlineString: '{"keys":[]}' },
    forward: true,
    fromHeaders: [{ name: "x-jwt", valuePrefix: "jwt " }],
    fromParams: ["t"],
    fromCookies: ["c"],
    forwardPayloadHeader: "X-Payload",
    claimToHeaders: [{ headerName: "x-sub", claimName: "sub" }],
    payloadInMetadata: "payload",
    normalizePayloadInMetadata: { spaceDelimitedClaims: ["permission", "roles", "scope"] },
  });
});

test("JWT-17: any issuer is none that is named", () => {
  assert.equal("issuer" in (written(rule({ issuer: "" })).providers["origins-0"] ?? {}), false);
});

test("JWT-83: of keys that could not be fetched nobody has the private half", () => {
  const { jwks: _, ...unfetched } = rule();
  const { localJwks } = written(unfetched).providers["origins-0"] ?? {};
  assert.deepEqual(localJwks, { inlineString: NOBODYS_KEYS });
  const [key] = JSON.parse(NOBODYS_KEYS).keys;
  assert.equal(key.x, createHash("sha256").update(NOBODYS_KEY_TEXT).digest("base64url"));
  assert.equal(createPublicKey({ key, format: "jwk" }).asymmetricKeyType, "ec", "on the curve");
});

test("JWT-74: headers that rules write, each once", () => {
  const rules = [
    rule({ outputPayloadToHeader: "X-Payload" }),
    rule({
      outputPayloadToHeader: "x-payload",
      outputClaimToHeaders: [{ header: "X-Sub", claim: "sub" }],
    }),
  ];
  assert.deepEqual(tokenHeaders(rules), ["x-payload", "x-sub"]);
});
