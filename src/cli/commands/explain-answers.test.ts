import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { serviceYaml } from "../../../test/kit/service-yaml.ts";
import { tokenIssuer } from "../../../test/kit/token-issuer.ts";
import { toldByCommand } from "../../../test/kit/told-by-command.ts";
import { type ExplainOptions, explainCommand } from "./explain.ts";

const ISSUER = "https://issuer.example";
const issuer = tokenIssuer(ISSUER);
const MESH = serviceYaml("cart", { http: 80, tcp: 81 });
const document = (kind: string, spec: string): string => `---
apiVersion: security.istio.io/v1
kind: ${kind}
metadata: {name: one, namespace: shop}
spec: ${spec}
`;
const tokens = (more = ""): string =>
  document(
    "RequestAuthentication",
    `{jwtRules: [{issuer: "${ISSUER}", audiences: [shop], jwks: '${issuer.jwks}'${more}}]}`,
  );
const policy = (spec: string): string => document("AuthorizationPolicy", spec);
const NOBODY = policy("{}");
const USERS = policy(`{rules: [{from: [{source: {requestPrincipals: ["${ISSUER}/*"]}}]}]}`);
const WITHOUT_TOKEN = policy(
  '{action: DENY, rules: [{from: [{source: {notRequestPrincipals: ["*"]}}]}]}',
);
const BY_CLAIM = policy('{rules: [{when: [{key: "request.auth.claims[sub]", values: [alice]}]}]}');
const ASKED = policy("{action: CUSTOM, provider: {name: opa}, rules: [{}]}");
const STRICT = document("PeerAuthentication", "{mtls: {mode: STRICT}}");

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-answers-"));
});
after(() => rm(folder, { recursive: true }));

async function explain(yaml: string, more: Partial<ExplainOptions> = {}): Promise<string> {
  const file = join(folder, "mesh.yaml");
  await writeFile(file, MESH + yaml);
  const asked = { from: "outside", to: "shop/cart:80", request: "POST /api/x", data: folder };
  const { text } = await toldByCommand((print) =>
    explainCommand({ file: [file], ...asked, ...more }, { print, warn: print }),
  );
  return text;
}

async function written(claims: Parameters<typeof issuer.sign>[0]): Promise<string> {
  const path = join(folder, "token");
  await writeFile(path, await issuer.sign(claims));
  return path;
}

const answers: readonly [
  what: string,
  yaml: string,
  first: string,
  answer: object | undefined,
  more?: Partial<ExplainOptions>,
][] = [
  [
    "AP-130: no ALLOW rule",
    NOBODY,
    "DENIED  POST /api/x  403 RBAC: access denied",
    { status: 403, body: "RBAC: access denied" },
  ],
  [
    "AP-130: a DENY rule",
    WITHOUT_TOKEN,
    "DENIED  POST /api/x  403 RBAC: access denied",
    { status: 403, body: "RBAC: access denied" },
  ],
  [
    "AP-120: nobody who can be asked",
    ASKED,
    "DENIED  POST /api/x  403 RBAC: access denied",
    { status: 403, body: "RBAC: access denied" },
  ],
  [
    "JWT-9: a token that is demanded",
    tokens(", presence: REQUIRED"),
    "DENIED  POST /api/x  401 Jwt is missing",
    { status: 401, body: "Jwt is missing" },
  ],
  [
    "AP-130: gRPC",
    NOBODY,
    "DENIED  POST /api/x  grpc-status 7 RBAC: access denied",
    { status: 200, grpcStatus: 7, body: "RBAC: access denied" },
    { header: ["content-type: application/grpc+proto"] },
  ],
  ["let in", "", "ALLOWED  POST /api/x", undefined],
  ["refused before HTTP", STRICT, "DENIED  POST /api/x", undefined],
  ["TCP", NOBODY, "DENIED  a connection", undefined, { to: "shop/cart:81" }],
];
for (const [what, yaml, first, answer, more] of answers) {
  test(`${what}: the first line is ${first}`, async () => {
    const [line] = (await explain(yaml, more)).split("\n");
    assert.equal(line, first);
    const told = JSON.parse(await explain(yaml, { ...more, json: true }));
    assert.deepEqual(told.answer, answer);
  });
}

test("JWT-34: a token that is not good is answered with the status of its fault", async () => {
  const now = Math.floor(Date.now() / 1_000);
  const [expired, foreign] = [{ aud: "shop", exp: 1 }, { aud: "bank" }];
  const first = async (claims: Parameters<typeof issuer.sign>[0]): Promise<string | undefined> =>
    (await explain(tokens(), { token: await written({ exp: now + 60, ...claims }) })).split(
      "\n",
    )[0];
  assert.equal(await first(expired), "DENIED  POST /api/x  401 Jwt is expired");
  assert.equal(await first(foreign), "DENIED  POST /api/x  403 Audiences in Jwt are not allowed");
});

const HINT = /note +a rule asks for a token, and no token was given: --token FILE or --claims FILE/;
const UNSEEN = /note +a rule asks for a token, and no RequestAuthentication applies to the callee/;
const hints: readonly [
  what: string,
  yaml: string,
  expected: RegExp | undefined,
  more?: Partial<ExplainOptions>,
][] = [
  ["requestPrincipals", tokens() + USERS, HINT],
  ["notRequestPrincipals", tokens() + WITHOUT_TOKEN, HINT],
  ["a claim", tokens() + BY_CLAIM, HINT],
  ["presence", tokens(", presence: REQUIRED"), HINT],
  ["requestPrincipals, where nobody looks at tokens", USERS, UNSEEN],
  ["no token", tokens() + NOBODY, undefined],
  ["requestPrincipals, on TCP", tokens() + USERS, undefined, { to: "shop/cart:81" }],
];
for (const [what, yaml, expected, more] of hints) {
  test(`rules that ask for ${what}, and no token: ${expected === undefined ? "no" : "a"} hint`, async () => {
    const text = await explain(yaml, more);
    if (expected === undefined) assert.doesNotMatch(text, /a rule asks for a token/);
    else assert.match(text, expected);
  });
}

test("whoever gives a token, claims, or a header that holds one gets no such hint", async () => {
  const token = await written({ aud: "shop", sub: "alice" });
  const claims = join(folder, "claims.json");
  await writeFile(claims, JSON.stringify({ iss: ISSUER, aud: "shop" }));
  const header = [`authorization: Bearer ${await issuer.sign({ aud: "shop" })}`];
  for (const more of [{ token }, { claims }, { header }])
    assert.doesNotMatch(await explain(tokens() + USERS, more), /a rule asks for a token/);
  assert.doesNotMatch(await explain(USERS, { token }), /a rule asks for a token/);
});
