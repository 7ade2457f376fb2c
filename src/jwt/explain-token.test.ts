import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { writtenToken } from "../../test/kit/written-token.ts";
import { explainToken } from "./explain-token.ts";
import { TOKEN_CHECKS } from "./token-checks.ts";
import { readTokenKeys } from "./token-keys.ts";
import { TOKEN_PROBLEMS } from "./token-status.ts";

const NOW = new Date("2026-06-01T12:00:00Z");
const seconds = NOW.getTime() / 1_000;
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
const keys = readTokenKeys(JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] }));
const DEMANDS = { issuer: "i", audiences: ["shop"], keys };
const GOOD = { iss: "i", aud: "shop", exp: seconds + 60 };

/** What a token may be wrong in, and the check that must find it. */
const faults: readonly [check: string, header: object, claims: object][] = [
  ["algorithm", { alg: "none" }, {}],
  ["key id", { kid: 7 }, {}],
  ["iss is a text", {}, { iss: 1 }],
  ["sub is a text", {}, { sub: 1 }],
  ["iat is a time", {}, { iat: "1" }],
  ["nbf is a time", {}, { nbf: -1 }],
  ["exp is a time", {}, { exp: 1.5 }],
  ["jti is a text", {}, { jti: [] }],
  ["aud is a text", {}, { aud: 1 }],
  ["issuer", {}, { iss: "j" }],
  ["not before", {}, { nbf: seconds + 61 }],
  ["expiry", {}, { exp: seconds - 61 }],
  ["audience", {}, { aud: "bank" }],
  ["key", { alg: "RS256" }, {}],
];
const names = TOKEN_CHECKS.map(({ check }) => check);

async function failing(
  header: object,
  claims: object,
  key = privateKey,
): Promise<string | undefined> {
  const written = { alg: "ES256", ...header };
  const payload = JSON.stringify({ ...GOOD, ...claims });
  const { checks } = await explainToken(
    writtenToken(JSON.stringify(written), payload, key),
    DEMANDS,
    NOW,
  );
  return checks.find(({ result }) => result === "failed")?.check;
}

test("each problem that a token can have is named by one check", () => {
  const named = TOKEN_CHECKS.flatMap(({ problems }) => problems);
  const ofTokens = Object.keys(TOKEN_PROBLEMS).filter((one) => !["missing", "busy"].includes(one));
  assert.deepEqual([...named].sort(), ofTokens.sort());
  assert.equal(new Set(names).size, names.length);
});

test("law: of two faults the check that comes first is named, as a sidecar finds it", async () => {
  for (const [one, header, claims] of faults)
    for (const [other, otherHeader, otherClaims] of faults) {
      const members = [header, claims].map((part, index) => ({
        ...part,
        ...[otherHeader, otherClaims][index],
      }));
      const isBoth = Object.keys({ ...header, ...claims }).every(
        (name) => one === other || !(name in { ...otherHeader, ...otherClaims }),
      );
      if (!isBoth) continue;
      const [first] = [one, other].sort((a, b) => names.indexOf(a) - names.indexOf(b));
      assert.equal(await failing(members[0] ?? {}, members[1] ?? {}), first, `${one}, ${other}`);
    }
});

test("a good token passes all, and names the key; another's key fails the last", async () => {
  const { result, checks, signedBy } = await explainToken(
    writtenToken('{"alg":"ES256"}', JSON.stringify(GOOD), privateKey),
    DEMANDS,
    NOW,
  );
  assert.deepEqual([result, signedBy], ["good", "without id (EC P-256)"]);
  assert.ok(checks.every((check) => check.result === "passed" && check.got !== ""));
  assert.equal(await failing({}, {}, stranger.privateKey), names.at(-1));
});

test("without keys the token is not said to be wrong in anything else", async () => {
  const token = writtenToken('{"alg":"ES256"}', JSON.stringify(GOOD), privateKey);
  const why = "fetched when the mesh runs";
  const told = await explainToken(token, { ...DEMANDS, keys: undefined, keysInWords: why }, NOW);
  const failed = told.checks.filter(({ result }) => result === "failed");
  assert.deepEqual(
    failed.map(({ check, got }) => [check, got]),
    [["keys", `none, ${why}`]],
  );
});
