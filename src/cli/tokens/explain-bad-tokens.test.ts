import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { serviceYaml } from "../../../test/kit/service-yaml.ts";
import { type ToldByCommand, toldByCommand } from "../../../test/kit/told-by-command.ts";
import { base64url, writtenToken } from "../../../test/kit/written-token.ts";
import { explainCommand } from "../commands/explain.ts";

const ISSUER = "https://issuer.example";
const AUDIENCE = "shop";
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicJwk = (key: KeyObject, kid: string): object => ({
  ...key.export({ format: "jwk" }),
  kid,
});
const JWKS = JSON.stringify({
  keys: [publicJwk(ec.publicKey, "k1"), publicJwk(rsa.publicKey, "k2")],
});

const seconds = Math.floor(Date.now() / 1_000);
const GOOD = { iss: ISSUER, sub: "alice@example.com", aud: AUDIENCE, exp: seconds + 3_600 };

/** What it says is signed as it is written: JSON need not be. */
function signedText(
  payload: string | Buffer,
  header: object = { alg: "ES256", kid: "k1" },
  key: KeyObject = ec.privateKey,
): string {
  return writtenToken(JSON.stringify(header), payload, key);
}

const signed = (claims: object): string => signedText(JSON.stringify({ ...GOOD, ...claims }));

const good = signed({});
const [header = "", payload = "", signature = ""] = good.split(".");
const withHeader = (text: string | Buffer): string => `${base64url(text)}.${payload}.${signature}`;
/** The bits that are left over are not zero: another text of the same bytes. */
const ajar = (encoded: string): string => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(encoded.at(-1) ?? "");
  return `${encoded.slice(0, -1)}${alphabet[last + 1]}`;
};
/** An RSA key's public part as the secret of an HMAC: key confusion. */
const confused = (): string => {
  const text = `${base64url(JSON.stringify({ alg: "HS256", kid: "k2" }))}.${payload}`;
  const secret = rsa.publicKey.export({ type: "spki", format: "pem" });
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
};
/** 3n + 1 octets, so that two bits are left over. */
const padded = (claims: object): string => {
  const text = JSON.stringify(claims);
  return text + " ".repeat((4 - (text.length % 3)) % 3);
};

const cases: readonly [fault: string, token: string, check: string][] = [
  ["one part", "abc", "form"],
  ["two parts", `${header}.${payload}`, "form"],
  ["four parts", `${good}.${signature}`, "form"],
  ["five parts, as encrypted tokens have", `${header}..iv.text.tag`, "form"],
  ["no signature", `${header}.${payload}.`, "form"],
  ["too long", `${header}.${"A".repeat(17_000)}.${signature}`, "form"],
  [
    "header with bits left over",
    `${ajar(base64url("{}"))}.${payload}.${signature}`,
    "header encoding",
  ],
  ["header empty", `.${payload}.${signature}`, "header JSON"],
  ["header no JSON", withHeader("not json"), "header JSON"],
  ["header a list", withHeader("[]"), "header JSON"],
  ["header says alg twice", withHeader('{"alg":"ES256","alg":"none"}'), "header JSON"],
  ["header not UTF-8", withHeader(Buffer.from([0x7b, 0xff, 0x7d])), "header JSON"],
  ["alg missing", withHeader("{}"), "algorithm"],
  ["alg none", withHeader('{"alg":"none"}'), "algorithm"],
  ["alg None", withHeader('{"alg":"None"}'), "algorithm"],
  ["alg a number", withHeader('{"alg":256}'), "algorithm"],
  ["alg unknown", withHeader('{"alg":"ES256K"}'), "algorithm"],
  ["crit", withHeader('{"alg":"ES256","crit":["b64"],"b64":false}'), "algorithm"],
  ["kid a number", withHeader('{"alg":"ES256","kid":1}'), "key id"],
  [
    "payload with bits left over",
    `${header}.${ajar(base64url(padded(GOOD)))}.${signature}`,
    "payload encoding",
  ],
  ["payload no JSON", signedText("hello"), "payload JSON"],
  ["payload a list", signedText("[]"), "payload JSON"],
  [
    "payload says sub twice",
    signedText(`{"iss":"${ISSUER}","sub":"a","sub":"root"}`),
    "payload JSON",
  ],
  ["payload too deep", signedText(`{"a":${"[".repeat(40)}${"]".repeat(40)}}`), "payload JSON"],
  ["iss a number", signed({ iss: 7 }), "iss is a text"],
  ["sub a list", signed({ sub: ["alice"] }), "sub is a text"],
  ["iat a text", signed({ iat: "now" }), "iat is a time"],
  ["nbf a float", signed({ nbf: seconds + 0.5 }), "nbf is a time"],
  ["exp a float", signed({ exp: seconds + 3_600.5 }), "exp is a time"],
  ["exp a text", signed({ exp: String(seconds + 3_600) }), "exp is a time"],
  ["exp negative", signed({ exp: -1 }), "exp is a time"],
  ["exp beyond whole numbers", signedText(`{"iss":"${ISSUER}","exp":1e300}`), "exp is a time"],
  ["jti a number", signed({ jti: 1 }), "jti is a text"],
  ["aud an object", signed({ aud: { shop: true } }), "aud is a text"],
  ["aud a list with a number", signed({ aud: ["shop", 1] }), "aud is a text"],
  [
    "signature with bits left over",
    `${header}.${payload}.${ajar(signature)}`,
    "signature encoding",
  ],
  ["another issuer", signed({ iss: `${ISSUER}/` }), "issuer"],
  ["no issuer", signed({ iss: undefined }), "issuer"],
  ["not valid yet", signed({ nbf: seconds + 120 }), "not before"],
  ["expired", signed({ exp: seconds - 120 }), "expiry"],
  ["another audience", signed({ aud: ["bank", "SHOP"] }), "audience"],
  ["no audience", signed({ aud: undefined }), "audience"],
  ["a key that is not there", signedText(JSON.stringify(GOOD), { alg: "ES256", kid: "k9" }), "key"],
  [
    "an algorithm that no key has",
    signedText(JSON.stringify(GOOD), { alg: "ES256", kid: "k2" }),
    "key",
  ],
  ["key confusion", confused(), "key"],
  [
    "a stranger's key",
    signedText(JSON.stringify(GOOD), { alg: "ES256", kid: "k1" }, other.privateKey),
    "signature",
  ],
  [
    "another payload",
    `${header}.${base64url(JSON.stringify({ ...GOOD, sub: "root" }))}.${signature}`,
    "signature",
  ],
];

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-tokens-"));
  await writeFile(join(folder, "mesh.yaml"), MESH);
});
after(() => rm(folder, { recursive: true }));

const MESH = `${serviceYaml("cart", { http: 80 })}---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: users, namespace: shop}
spec:
  jwtRules:
  - issuer: ${ISSUER}
    audiences: [${AUDIENCE}]
    jwks: '${JWKS}'
`;

async function explain(
  token: string,
  more: { readonly json?: boolean } = {},
): Promise<ToldByCommand> {
  const path = join(folder, "token");
  await writeFile(path, `${token}\n`);
  const asked = { from: "outside", to: "shop/cart:80", request: "GET /", token: path };
  const options = { file: [join(folder, "mesh.yaml")], data: folder, ...asked, ...more };
  return toldByCommand((print) => explainCommand(options, { print, warn: print }));
}

test(`${cases.length} bad tokens: the failing check is named, what comes after it is not reached, and the token is never told`, async () => {
  assert.ok(cases.length >= 40);
  assert.equal(new Set(cases.map(([fault]) => fault)).size, cases.length);
  for (const [fault, token, expected] of cases) {
    const { code, text } = await explain(token, { json: true });
    const { tokens, decision } = JSON.parse(text);
    assert.equal(code, 2, fault);
    assert.equal(decision.reason.because, "token-refused", fault);
    const [{ tokens: [told] = [] }] = tokens.rules;
    const failed = told.checks.filter(({ result }: { result: string }) => result === "failed");
    assert.deepEqual(
      failed.map(({ check }: { check: string }) => check),
      [expected],
      fault,
    );
    assert.equal(told.result, decision.reason.problem, `${fault}: the sidecar's own words`);
    const results: string[] = told.checks.map(({ result }: { result: string }) => result);
    const at = results.indexOf("failed");
    assert.ok(
      results.every(
        (one, place) => one === (place < at ? "passed" : place > at ? "not reached" : "failed"),
      ),
    );
    assert.ok(failed[0].expected !== "" && failed[0].got !== "", fault);
    for (const part of token.split(".").filter(({ length }) => length >= 16))
      assert.ok(!text.includes(part), `${fault}: ${part} is told`);
  }
});

test("in words: each check with what it expected and got, the rule by file and line, the key", async () => {
  const { text, code } = await explain(signed({ exp: seconds - 7_200 }));
  assert.equal(code, 2);
  assert.match(text, /^DENIED {2}GET \/ {2}401 Jwt is expired\n/);
  assert.match(text, /token +taken to be sent in the header authorization, behind "Bearer "\n/);
  assert.match(
    text,
    /by RequestAuthentication shop\/users \(.*mesh\.yaml:\d+\), issuer "https:\/\/issuer\.example"\n/,
  );
  assert.match(
    text,
    /passed: issuer, expected "https:\/\/issuer\.example"; got "https:\/\/issuer\.example"\n/,
  );
  assert.match(text, /failed: expiry, expected at or after 20\S+Z; got 20\S+Z\n/);
  assert.match(text, /not reached: audience, keys, key, signature\n/);
  assert.match(text, /its keys: written in the rule\n/);
  const passed = await explain(good);
  assert.equal(passed.code, 0);
  assert.match(
    passed.text,
    /in the header authorization: good, signed with the key "k1" \(EC P-256\)\n/,
  );
  assert.match(
    passed.text,
    /passed: signature, expected made with that key, of just these bytes; got so made\n/,
  );
});
