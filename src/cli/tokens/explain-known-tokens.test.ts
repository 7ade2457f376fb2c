import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { whileAnswering } from "../../../test/kit/answering-control-plane.ts";
import { serviceYaml } from "../../../test/kit/service-yaml.ts";
import { tokenIssuer } from "../../../test/kit/token-issuer.ts";
import { type ToldByCommand, toldByCommand } from "../../../test/kit/told-by-command.ts";
import type { ControlReply, ControlRequest } from "../../control/control-socket-messages.ts";
import { describeCommand } from "../commands/describe.ts";
import { type ExplainOptions, explainCommand } from "../commands/explain.ts";

const ISSUER = "https://issuer.example";
const issuer = tokenIssuer(ISSUER);
const inline = tokenIssuer("https://inline.example");
const URI = `${ISSUER}/keys`;
const MESH = `${serviceYaml("cart", { http: 80, tcp: 81 })}---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: users, namespace: shop}
spec:
  jwtRules:
  - {issuer: "${ISSUER}", jwksUri: "${URI}", outputClaimToHeaders: [{header: x-user, claim: sub}]}
  - {issuer: "https://inline.example", fromHeaders: [{name: x-inline}], jwks: '${inline.jwks}'}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: alice, namespace: shop}
spec:
  rules:
  - from: [{source: {requestPrincipals: ["${ISSUER}/alice"]}}]
    when: [{key: "request.headers[x-user]", values: [alice]}]
  - from: [{source: {requestPrincipals: ["https://inline.example/alice"]}}]
`;

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-known-"));
  await writeFile(join(folder, "mesh.yaml"), MESH);
  await writeFile(join(folder, "jwks.json"), issuer.jwks);
});
after(() => rm(folder, { recursive: true }));

async function explain(token: string, more: Partial<ExplainOptions> = {}): Promise<ToldByCommand> {
  const path = join(folder, "token");
  await writeFile(path, token);
  return toldByCommand((print) =>
    explainCommand(
      {
        file: [join(folder, "mesh.yaml")],
        from: "outside",
        to: "shop/cart:80",
        request: "GET /",
        token: path,
        data: folder,
        ...more,
      },
      { print, warn: print },
    ),
  );
}

const describe = (more: { readonly json?: boolean } = {}): Promise<ToldByCommand> =>
  toldByCommand((print) =>
    describeCommand(
      "shop/cart",
      { file: [join(folder, "mesh.yaml")], data: folder, ...more },
      { print, warn: print },
    ),
  );

const ago = (seconds: number): string => new Date(Date.now() - 1_000 * seconds).toISOString();

test("keys of a given file: the policies are asked about the token, and what is told of it in headers", async () => {
  const jwks = [join(folder, "jwks.json")];
  const allowed = await explain(await issuer.sign({ sub: "alice" }), { jwks });
  assert.equal(allowed.code, 0, allowed.text);
  const denied = await explain(await issuer.sign({ sub: "mallory" }), { jwks });
  assert.equal(denied.code, 2);
  assert.match(
    denied.text,
    /requestPrincipals: expected .*; got https:\/\/issuer.example\/sha256:/,
  );
  assert.doesNotMatch(denied.text, /mallory/);
  const shown = await explain(await issuer.sign({ sub: "mallory" }), { jwks, showClaims: true });
  assert.match(shown.text, /sub: mallory\n/);
  const wrong = await explain("x", { jwks: [join(folder, "mesh.yaml")] });
  assert.match(wrong.text, /--jwks .*mesh\.yaml is no key set: expected a JSON object/);
});

test("hashes of claims are alike within one answer, and of no use in another", async () => {
  const token = await issuer.sign({ sub: "alice@example.com", email: "alice@example.com" });
  const hashes = async (): Promise<readonly string[]> =>
    (await explain(token, { jwks: [join(folder, "jwks.json")] })).text.match(
      /(?<=(sub|email): )sha256:\w{12}/g,
    ) ?? [];
  const [[sub, email], [later]] = [await hashes(), await hashes()];
  assert.equal(sub, email);
  assert.notEqual(sub, later);
});

test("keys that nobody has at hand: it cannot be told, and is said what to do; a fault before them is told all the same", async () => {
  const unknown = await explain(await issuer.sign({ sub: "alice" }));
  assert.equal(unknown.code, 1);
  assert.match(unknown.text, /^CANNOT TELL {2}GET \/\n/);
  assert.match(
    unknown.text,
    /because +the keys of "https:\/\/issuer\.example" are not at hand: say with --data .* --jwks ISSUER=FILE/,
  );
  const expired = await explain(await issuer.sign({ exp: 1 }));
  assert.equal(expired.code, 2);
  assert.match(expired.text, /failed: expiry/);
  const json = JSON.parse((await explain(await issuer.sign({}), { json: true })).text);
  assert.match(json.cannotTell, /--jwks ISSUER=FILE/);
  assert.equal(json.answer, undefined);
});

test("keys of the mesh that runs: which, how old, what went wrong the last time and when it is tried again", async () => {
  const nextTryAt = new Date(Date.now() + 30_500).toISOString();
  const facts = { source: URI, jwks: issuer.jwks, fetchedAt: ago(185), nextTryAt };
  const asked: ControlRequest[] = [];
  const answer = (request: ControlRequest): ControlReply => {
    asked.push(request);
    return { type: "token-keys", sets: [{ ...facts, problem: "connect ECONNREFUSED" }] };
  };
  await whileAnswering(folder, answer, async () => {
    const { code, text } = await explain(await issuer.sign({ sub: "alice" }));
    assert.equal(code, 0, text);
    assert.match(
      text,
      /got 1 key, fetched 3 min ago from https:\/\/issuer.example\/keys; the last try failed: connect ECONNREFUSED; is tried again in (29|30) s\n/,
    );
    const described = await describe();
    assert.match(
      described.text,
      /keys: without id \(EC P-256\), fetched 3 min ago from .*; the last try failed: connect ECONNREFUSED; is tried again in (29|30) s\n/,
    );
    assert.match(described.text, /keys: without id \(EC P-256\), written in the rule\n/);
    const { issuers } = JSON.parse((await describe({ json: true })).text);
    assert.deepEqual(
      issuers.map(({ keys }: { keys: unknown }) => keys),
      [
        { from: "rule", keys: ["without id (EC P-256)"] },
        {
          ...{ from: "mesh", source: URI, fetchedAt: facts.fetchedAt, nextTryAt },
          ...{ problem: "connect ECONNREFUSED", keys: ["without id (EC P-256)"] },
        },
      ],
    );
  });
  assert.deepEqual(asked[0], { type: "token-keys", sources: [URI] });
});

test("a mesh that runs and never had the keys: the token is refused, and so it is told", async () => {
  const sets = [{ source: URI, problem: "getaddrinfo ENOTFOUND", nextTryAt: ago(1) }];
  await whileAnswering(
    folder,
    () => ({ type: "token-keys", sets }),
    async () => {
      const { code, text } = await explain(await issuer.sign({ sub: "alice" }));
      assert.equal(code, 2);
      assert.match(
        text,
        /failed: keys, .*; got none, never fetched from .*, so that its tokens are refused; the last try failed: getaddrinfo ENOTFOUND; is tried again now\n/,
      );
      assert.match(text, /because +the request's token is refused: Jwks remote fetch is failed\./);
    },
  );
});

test("describe without a mesh that runs says so", async () => {
  const { code, text } = await describe();
  assert.equal(code, 0);
  assert.match(text, /keys: fetched when the mesh runs, from https:\/\/issuer.example\/keys\n/);
});

test("a token is sent where its issuer's rule looks first, and tokens of the request itself are looked at, too", async () => {
  const token = await inline.sign({ sub: "alice" });
  const sent = await explain(token);
  assert.equal(sent.code, 0, sent.text);
  assert.match(sent.text, /taken to be sent in the header x-inline\n/);
  const own = await toldByCommand((print) =>
    explainCommand(
      {
        file: [join(folder, "mesh.yaml")],
        ...{ from: "outside", to: "shop/cart:80", request: "GET /", data: folder },
        header: [`x-inline: ${token.slice(0, -4)}AAAA`],
      },
      { print, warn: print },
    ),
  );
  assert.equal(own.code, 2);
  assert.match(own.text, /failed: signature/);
  assert.ok(!own.text.includes(token.slice(-40, -4)), "the token is not told");
});

test("a preflight of CORS needs no token, and TCP has none", async () => {
  const bad = await issuer.sign({ exp: 1 });
  const header = ["origin: https://a", "access-control-request-method: GET"];
  const preflight = await explain(bad, { request: "OPTIONS /", header });
  assert.doesNotMatch(preflight.text, /token is refused/);
  const tcp = await explain(bad, { to: "shop/cart:81" });
  assert.doesNotMatch(tcp.text, /because +the request's token/);
});

test("--token and --claims together are a mistake, as is --token without a request", async () => {
  const claims = join(folder, "claims.json");
  await writeFile(claims, JSON.stringify({ iss: ISSUER }));
  const both = await explain("x", { claims });
  assert.match(both.text, /give one of them/);
  const path = join(folder, "token");
  const file = [join(folder, "mesh.yaml")];
  const question = { file, from: "outside", to: "shop/cart:80", data: folder, token: path };
  const none = await toldByCommand((print) => explainCommand(question, { print, warn: print }));
  assert.equal(none.code, 1);
  assert.match(none.text, /--token is of no use without --request/);
});

test("where no RequestAuthentication applies nobody looks at a token", async () => {
  const path = join(folder, "bare.yaml");
  const [bare = ""] = MESH.split("---\napiVersion: security");
  await writeFile(path, bare);
  const { code, text } = await explain(await issuer.sign({}), { file: [path] });
  assert.equal(code, 0);
  assert.match(text, /token +no RequestAuthentication applies to the callee/);
});

const CUSTOM = `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: shop}
spec:
  action: CUSTOM
  provider: {name: opa}
  rules:
  - to: [{operation: {paths: ["/asked"]}}]
---
extensionProviders: [{name: opa, envoyExtAuthzGrpc: {service: cart.shop.svc.cluster.local, port: 80}}]
`;

test("AP-2, AP-3: an authorizer is asked before the token is looked at", async () => {
  await writeFile(join(folder, "custom.yaml"), MESH + CUSTOM);
  const file = [join(folder, "custom.yaml")];
  const jwks = [join(folder, "jwks.json")];
  const bad = await explain(await issuer.sign({ exp: 1 }), { file, jwks, request: "GET /asked" });
  assert.equal(bad.code, 2);
  assert.match(bad.text, /^DELEGATED/);
  assert.match(
    bad.text,
    /Once all allow it, it is denied: the request's token is refused: Jwt is expired/,
  );
  assert.match(bad.text, /asks +opa: asked over gRPC at cart\.shop\.svc\.cluster\.local:80/);
});
