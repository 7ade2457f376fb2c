import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { serviceYaml } from "../../../test/kit/service-yaml.ts";
import { tokenIssuer } from "../../../test/kit/token-issuer.ts";
import { toldByCommand } from "../../../test/kit/told-by-command.ts";
import { explainCommand } from "../commands/explain.ts";

/** Two who say that their keys are in one place, one whose URL has a "=" in it, and one whose keys are in the rule. */
const A = "https://a.example";
const B = "https://b.example";
const TENANT = `${A}/?tenant=7`;
const INLINE = "https://inline.example";
const keysOf = {
  a: tokenIssuer(A),
  b: tokenIssuer(B),
  tenant: tokenIssuer(TENANT),
  inline: tokenIssuer(INLINE),
};
const URI = "https://keys.example/shared";
const CART = serviceYaml("cart", { http: 80 });
const rulesOf = (name: string, namespace: string, rules: string): string => `---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  jwtRules:
${rules}`;
const MESHES = {
  several: `${CART}${rulesOf(
    "users",
    "shop",
    `  - {issuer: "${A}", jwksUri: "${URI}"}
  - {issuer: "${B}", jwksUri: "${URI}"}
  - {issuer: "${TENANT}", jwksUri: "${URI}", fromHeaders: [{name: x-tenant}]}
  - {issuer: "${INLINE}", jwks: '${keysOf.inline.jwks}'}
`,
  )}`,
  one: `${CART}${rulesOf(
    "users",
    "shop",
    `  - {issuer: "${A}", jwksUri: "${URI}"}
  - {issuer: "${A}", jwksUri: "${URI}/again", fromHeaders: [{name: x-again}]}
  - {issuer: "${INLINE}", jwks: '${keysOf.inline.jwks}'}
`,
  )}${rulesOf("others", "elsewhere", `  - {issuer: "${B}", jwksUri: "${URI}"}\n`)}`,
  none: CART,
} as const;

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-given-"));
  for (const [name, { jwks }] of Object.entries(keysOf)) {
    await writeFile(join(folder, `${name}.json`), jwks);
    await writeFile(join(folder, `key=${name}.json`), jwks);
  }
  const secret = { kty: "oct", k: Buffer.alloc(32, 7).toString("base64url") };
  await writeFile(join(folder, "secret.json"), JSON.stringify({ keys: [secret] }));
  await writeFile(join(folder, "bare.json"), "[]");
});
after(() => rm(folder, { recursive: true }));

interface Row {
  readonly what: string;
  readonly mesh: keyof typeof MESHES;
  readonly token: Promise<string>;
  /** `FOLDER/` stands before each name of a file. */
  readonly jwks: readonly string[];
  readonly code: 0 | 1 | 2;
  readonly says: RegExp;
}

const ofA = keysOf.a.sign({ sub: "alice" });
const ofB = keysOf.b.sign({ sub: "alice" });
/** Signed with the key of A: no sidecar takes it for a token of B. */
const forged = keysOf.a.sign({ iss: B, sub: "alice" });
const ofTenant = keysOf.tenant.sign({ sub: "alice" });
const ofInline = keysOf.inline.sign({ sub: "alice" });

const rows: readonly Row[] = [
  {
    what: "each issuer has its own",
    ...{ mesh: "several", token: ofA, jwks: [`${A}=FOLDER/a.json`, `${B}=FOLDER/b.json`] },
    ...{ code: 0, says: /^ALLOWED/ },
  },
  {
    what: "keys of one verify no token of another, though both name one jwksUri",
    ...{ mesh: "several", token: forged, jwks: [`${A}=FOLDER/a.json`, `${B}=FOLDER/b.json`] },
    ...{ code: 2, says: /failed: signature/ },
  },
  {
    what: "keys of one say nothing of another",
    ...{ mesh: "several", token: forged, jwks: [`${A}=FOLDER/a.json`] },
    ...{ code: 1, says: /^CANNOT TELL/ },
  },
  {
    what: "an issuer with a = in it, and a file with one",
    ...{ mesh: "several", token: ofTenant, jwks: [`${TENANT}=FOLDER/key=tenant.json`] },
    ...{ code: 0, says: /^ALLOWED/ },
  },
  {
    what: "a file alone, where several issuers need keys",
    ...{ mesh: "several", token: ofA, jwks: ["FOLDER/a.json"] },
    ...{
      code: 1,
      says: /--jwks \S+a\.json: say whose keys these are, as --jwks ISSUER=FILE; .*: "https:\/\/a\.example", "https:\/\/a\.example\/\?tenant=7", "https:\/\/b\.example"$/,
    },
  },
  {
    what: "a file alone, where one issuer does, by two rules",
    ...{ mesh: "one", token: ofA, jwks: ["FOLDER/a.json"] },
    ...{ code: 0, says: /^ALLOWED/ },
  },
  {
    what: "a file alone is not of the issuer whose keys are in the rule",
    ...{ mesh: "one", token: ofInline, jwks: ["FOLDER/a.json"] },
    ...{ code: 0, says: /its keys|written in the rule/ },
  },
  {
    what: "an issuer of rules that do not concern the callee",
    ...{ mesh: "one", token: ofB, jwks: [`${B}=FOLDER/b.json`] },
    ...{ code: 2, says: /Jwt issuer is not configured/ },
  },
  {
    what: "an issuer that the mesh does not know",
    ...{ mesh: "one", token: ofA, jwks: [`${A}/=FOLDER/a.json`] },
    ...{
      code: 1,
      says: /expected ISSUER=FILE, or FILE; issuers whose keys are fetched: "https:\/\/a\.example", "https:\/\/b\.example"$/,
    },
  },
  {
    what: "an issuer whose keys are in the rule needs none",
    ...{ mesh: "one", token: ofInline, jwks: [`${INLINE}=FOLDER/inline.json`] },
    ...{ code: 1, says: /issuers whose keys are fetched: "https:\/\/a\.example"/ },
  },
  {
    what: "no issuer at all",
    ...{ mesh: "none", token: ofA, jwks: [`${A}=FOLDER/a.json`] },
    ...{ code: 1, says: /the mesh has no issuer whose keys are fetched$/ },
  },
  {
    what: "a file for nobody is not read",
    ...{ mesh: "none", token: ofA, jwks: ["FOLDER/missing.json"] },
    ...{ code: 0, says: /nobody there looks at tokens/ },
  },
  {
    what: "two for one issuer",
    ...{ mesh: "one", token: ofA, jwks: ["FOLDER/a.json", `${A}=FOLDER/a.json`] },
    ...{ code: 1, says: /the keys of "https:\/\/a\.example" are given twice$/ },
  },
  {
    what: "a file that is not there",
    ...{ mesh: "one", token: ofA, jwks: [`${A}=FOLDER/missing.json`] },
    ...{
      code: 1,
      says: /missing\.json: there is no such file; --jwks takes FILE, or ISSUER=FILE, of/,
    },
  },
  {
    what: "a folder",
    ...{ mesh: "one", token: ofA, jwks: [`${A}=FOLDER`] },
    ...{ code: 1, says: /that is a folder; --jwks takes/ },
  },
  {
    what: "no key set",
    ...{ mesh: "one", token: ofA, jwks: ["FOLDER/bare.json"] },
    ...{ code: 1, says: /bare\.json is no key set: expected a JSON object/ },
  },
  {
    what: "secrets, which the mesh does not take from an issuer",
    ...{ mesh: "one", token: ofA, jwks: ["FOLDER/secret.json"] },
    ...{ code: 1, says: /secret\.json has no key .*: secrets \(oct\) are read from jwks only/ },
  },
];
for (const { what, mesh, token, jwks, code, says } of rows)
  test(`--jwks: ${what}`, async () => {
    const [file, path] = [join(folder, `${mesh}.yaml`), join(folder, "token")];
    await writeFile(file, MESHES[mesh]);
    await writeFile(path, await token);
    const question = { from: "outside", to: "shop/cart:80", request: "GET /", token: path };
    const given = jwks.map((text) => text.replace("FOLDER", folder));
    const options = { file: [file], data: folder, ...question, jwks: given };
    const told = await toldByCommand((print) => explainCommand(options, { print, warn: print }));
    assert.equal(told.code, code, told.text);
    assert.match(told.text, says);
  });
