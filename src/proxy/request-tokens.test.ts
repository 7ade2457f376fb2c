import assert from "node:assert/strict";
import { pbkdf2 } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "../../test/kit/free-port.ts";
import {
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  portOf,
  startTestSidecar,
  type TestSidecar,
  type ViewOptions,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { tokenIssuer } from "../../test/kit/token-issuer.ts";
import { explain } from "../policy/explain.ts";
import type { AppliedTokenRule, WorkloadView } from "../policy/workload-view.ts";

const mesh = createThrowawayAuthority();
const api = mesh.svid(idOf("api"));
const ISSUER = "https://issuer.example";
const issuer = tokenIssuer(ISSUER);
const stranger = tokenIssuer(ISSUER);

const bearer = (token: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${token}`,
});

function rule(changes: Partial<AppliedTokenRule> = {}): AppliedTokenRule {
  return {
    ref: { kind: "RequestAuthentication", namespace: "production", name: "users" },
    source: { file: "tokens.yaml", line: 7 },
    issuer: ISSUER,
    audiences: [],
    jwks: issuer.jwks,
    locations: {
      headers: [{ name: "Authorization", prefix: "Bearer " }],
      params: ["access_token"],
      cookies: [],
    },
    presence: "OPTIONAL",
    afterwards: "removed",
    outputClaimToHeaders: [],
    spaceDelimitedClaims: [],
    ...changes,
  };
}

interface Stage extends TestSidecar {
  readonly port: number;
  /** How many requests the application has seen. */
  readonly reached: () => number;
  readonly view: (options: Partial<ViewOptions>) => WorkloadView;
}

const stages: (Stage & { readonly application: Server })[] = [];
after(async () => {
  for (const { application } of stages) application.closeAllConnections();
  await Promise.all(stages.map(({ sidecar }) => sidecar.close()));
});

async function stage(options: Partial<ViewOptions>): Promise<Stage> {
  let reached = 0;
  const application = createServer(async (incoming, response) => {
    reached++;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { url, headers, trailers } = incoming;
    const body = Buffer.concat(chunks).toString();
    response.end(JSON.stringify({ url, headers, trailers, body }));
  });
  application.listen(0, LOOPBACK).unref();
  await once(application, "listening");
  const port = await freePort();
  const settings = { listen: port, application: portOf(application), mode: "PERMISSIVE" } as const;
  const view: Stage["view"] = (changes) =>
    workloadView({ rootsPem: [mesh.rootPem], ports: [inboundPort(settings)], ...changes });
  const started = await startTestSidecar({ view: view(options), svid: api });
  const all = { ...started, application, port, view, reached: () => reached };
  stages.push(all);
  return all;
}

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What the application saw. */
  readonly seen: () => { readonly url: string; readonly headers: IncomingHttpHeaders };
}

async function call(
  { port }: Stage,
  { path = "/", ...init }: RequestInit & { readonly path?: string } = {},
): Promise<Reply> {
  const answer = await fetch(`http://${LOOPBACK}:${port}${path}`, init);
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, seen: () => JSON.parse(text) };
}

test("JWT-1: no token passes, a good one passes, a bad one does not reach the application", async () => {
  const one = await stage({ tokenRules: [rule()] });
  assert.equal((await call(one)).status, 200);
  const good = await issuer.sign({ sub: "alice" });
  for (let time = 0; time < 3; time++)
    assert.equal((await call(one, { headers: bearer(good) })).status, 200);
  assert.equal(one.reached(), 4);
  const forged = await stranger.sign({ sub: "alice" });
  const refused = await call(one, { path: "/a?b", headers: bearer(forged) });
  assert.deepEqual([refused.status, refused.text], [401, "Jwt verification fails"]);
  assert.equal(refused.headers.get("content-type"), "text/plain");
  assert.equal(
    refused.headers.get("www-authenticate"),
    `Bearer realm="http://${LOOPBACK}:${one.port}/a", error="invalid_token"`,
  );
  assert.equal(one.reached(), 4);
  const entry = await one.entry(({ response_code }) => response_code === 401);
  assert.equal(entry.response_code_details, "jwt_authn_access_denied{Jwt_verification_fails}");
  assert.equal(entry.response_flags, "-");
  assert.deepEqual(entry.decision, {
    verdict: "deny",
    reason: {
      because: "token-refused",
      problem: "Jwt verification fails",
      rules: [
        {
          origin: { ref: rule().ref, source: rule().source },
          issuer: ISSUER,
          outcome: "Jwt verification fails",
        },
      ],
    },
  });
});

test("JWT-34: another audience is 403; JWT-9: a token that is required and missing is 401", async () => {
  const audience = await stage({ tokenRules: [rule({ audiences: ["shop"] })] });
  const token = await issuer.sign({ aud: "bank" });
  const answer = await call(audience, { headers: bearer(token) });
  assert.deepEqual([answer.status, answer.text], [403, "Audiences in Jwt are not allowed"]);
  const required = await stage({ tokenRules: [rule({ presence: "REQUIRED" })] });
  const missing = await call(required);
  assert.deepEqual([missing.status, missing.text], [401, "Jwt is missing"]);
  assert.doesNotMatch(missing.headers.get("www-authenticate") ?? "", /error/);
});

test("JWT-47: keys that were never fetched let no token through, and tokens pass once they are there", async () => {
  const { jwks: _none, ...unfetched } = rule();
  const one = await stage({ tokenRules: [unfetched] });
  const token = await issuer.sign({ sub: "alice" });
  assert.equal((await call(one, { headers: bearer(token) })).text, "Jwks remote fetch is failed");
  const { response_code_details: details, decision } = await one.entry();
  assert.equal(details, "jwt_authn_access_denied{Jwks_remote_fetch_is_failed}");
  assert.ok(decision);
  assert.match(
    explain(decision),
    /tokens\.yaml:7.*has no keys of it yet: `hauberk describe` .*say why/,
  );
  one.views.set(one.view({ tokenRules: [rule()] }));
  assert.equal((await call(one, { headers: bearer(token) })).status, 200);
});

test("JWT-60, JWT-65, JWT-68: policies ask about the verified token, and about nothing else", async () => {
  const reads = policy("ALLOW", "readers", {
    from: [{ requestPrincipals: [`${ISSUER}/alice`] }],
    when: [{ key: "request.auth.claims[scope]", values: ["read"], notValues: [] }],
  });
  const one = await stage({ tokenRules: [rule()], policies: [reads] });
  const scoped = await issuer.sign({ sub: "alice", scope: "write read" });
  const status = async (headers: Readonly<Record<string, string>>): Promise<number> =>
    (await call(one, { headers })).status;
  assert.equal(await status(bearer(scoped)), 200);
  assert.equal(await status(bearer(await issuer.sign({ sub: "alice", scope: "write" }))), 403);
  assert.equal(await status(bearer(await issuer.sign({ sub: "bob", scope: "read" }))), 403);
  assert.equal(await status({}), 403);
  const payload = scoped.split(".")[1] ?? "";
  assert.equal(await status({ "x-jwt-payload": payload }), 403);
});

test("JWT-70: a good token goes no further, unless the rule says so; others of its kind stay", async () => {
  const one = await stage({ tokenRules: [rule()] });
  const token = await issuer.sign({ sub: "alice" });
  const path = `/p?a=1&access_token=${token}&b=%20x`;
  const { url, headers } = (await call(one, { path, headers: bearer(token) })).seen();
  assert.equal(url, "/p?a=1&b=%20x");
  assert.equal(headers.authorization, undefined);
  const basic = (await call(one, { headers: { authorization: "Basic x" } })).seen();
  assert.equal(basic.headers.authorization, "Basic x");
  one.views.set(one.view({ tokenRules: [rule({ afterwards: "forwarded" })] }));
  const kept = (await call(one, { path, headers: bearer(token) })).seen();
  assert.deepEqual([kept.url, kept.headers.authorization], [path, `Bearer ${token}`]);
});

test("JWT-72..JWT-75: the application hears of the token in headers that no client writes", async () => {
  const outputs = rule({
    outputPayloadToHeader: "x-jwt-payload",
    outputClaimToHeaders: [
      { header: "x-sub", claim: "sub" },
      { header: "x-age", claim: "age" },
      { header: "x-city", claim: "address.city" },
      { header: "x-groups", claim: "groups" },
      { header: "x-name", claim: "name" },
      { header: "x-bad", claim: "bad" },
    ],
  });
  const one = await stage({ tokenRules: [outputs] });
  const claims = {
    age: 7,
    address: { city: "Bern" },
    groups: ["a"],
    name: "Zoë",
    bad: "a\r\nb: c",
  };
  const token = await issuer.sign({ sub: "alice", ...claims });
  const forged = { "x-jwt-payload": "forged", "X-Sub": "root", "x-groups": "admin", "x-bad": "y" };
  const { headers } = (await call(one, { headers: { ...bearer(token), ...forged } })).seen();
  assert.equal(headers["x-jwt-payload"], token.split(".")[1]);
  assert.deepEqual([headers["x-sub"], headers["x-age"], headers["x-city"]], ["alice", "7", "Bern"]);
  assert.equal(Buffer.from(String(headers["x-name"]), "latin1").toString(), "Zoë");
  assert.deepEqual([headers["x-groups"], headers["x-bad"]], [undefined, undefined]);
  for (const init of [{ headers: forged }, { headers: forged, method: "OPTIONS" }]) {
    const without = (await call(one, init)).seen();
    for (const name of ["x-jwt-payload", "x-sub", "x-groups"])
      assert.equal(without.headers[name], undefined);
  }
});

test("JWT-22: a preflight of CORS shows no token, and needs none; policies judge it all the same", async () => {
  const one = await stage({ tokenRules: [rule({ presence: "REQUIRED" })] });
  const preflight = { origin: "https://app.example", "access-control-request-method": "GET" };
  const ask = async (method: string, headers: Record<string, string>): Promise<number> =>
    (await call(one, { method, headers })).status;
  // fetch() forbids these headers to pages, not to Node.
  assert.equal(await ask("OPTIONS", preflight), 200);
  assert.equal(await ask("GET", preflight), 401);
  assert.equal(await ask("OPTIONS", { origin: "https://app.example" }), 401);
});

test("a body that comes while a signature is verified arrives whole, chunks and trailers too", async () => {
  const one = await stage({ tokenRules: [rule()] });
  for (const size of [0, 1, 70_000, 1_000_000]) {
    const token = await issuer.sign({ sub: `size ${size}` });
    const body = "x".repeat(size);
    const answer = await call(one, { method: "POST", headers: bearer(token), body });
    assert.equal(JSON.parse(answer.text).body, body);
  }
  const token = await issuer.sign({ sub: "chunks" });
  const socket = connect({ host: LOOPBACK, port: one.port });
  const head = `POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
  socket.write(`${head}5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += chunk;
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.match(text, /"trailers":\{"x-sum":"5"\}/);
  assert.match(text, /"body":"hello"/);
});

test("many requests of one HTTP/2 connection are verified side by side", async () => {
  const one = await stage({ tokenRules: [rule()] });
  const session = connectHttp2(`http://${LOOPBACK}:${one.port}`);
  try {
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const token = await (index % 4 === 0 ? stranger : issuer).sign({ sub: String(index) });
        const stream = session.request({ ":method": "POST", authorization: `Bearer ${token}` });
        stream.end("x".repeat(index * 1_000));
        const [headers] = await once(stream, "response");
        stream.resume();
        await once(stream, "close");
        return headers[":status"];
      }),
    );
    assert.deepEqual(
      statuses,
      Array.from({ length: 40 }, (_, index) => (index % 4 === 0 ? 401 : 200)),
    );
    assert.equal(one.reached(), 30);
  } finally {
    session.close();
  }
});

test("a policy that comes while a signature is verified counts for the request that waits", async () => {
  const one = await stage({ tokenRules: [rule()] });
  await call(one);
  const token = await issuer.sign({ sub: "waits" });
  // Signatures are verified where these are worked out, four at a time.
  const busy = Array.from({ length: 4 }, () => promisify(pbkdf2)("a", "b", 400_000, 32, "sha256"));
  const answer = call(one, { headers: bearer(token) });
  await delay(50);
  one.views.set(one.view({ tokenRules: [rule()], policies: [policy("DENY", "nobody", {})] }));
  const { status, text } = await answer;
  assert.deepEqual([status, text], [403, "RBAC: access denied"]);
  assert.equal(one.reached(), 1);
  await Promise.all(busy);
});

test("a client that leaves while its token is verified is written down, and reaches nobody", async () => {
  const one = await stage({ tokenRules: [rule()] });
  const token = await issuer.sign({ sub: "gone" });
  const session = connectHttp2(`http://${LOOPBACK}:${one.port}`);
  await once(session, "remoteSettings");
  const stream = session.request({ authorization: `Bearer ${token}` });
  stream.on("error", () => {});
  stream.close(8);
  const entry = await one.entry(({ response_flags }) => response_flags === "DC");
  assert.equal(entry.response_code, null);
  session.destroy();
});

test("whoever leaves while a token is verified leaves nothing in the requests of others", async () => {
  const outputs = [{ header: "x-role", claim: "role" }];
  const one = await stage({ tokenRules: [rule({ outputClaimToHeaders: outputs })] });
  const known = await issuer.sign({ sub: "bob" });
  await call(one, { headers: bearer(known) });
  const session = connectHttp2(`http://${LOOPBACK}:${one.port}`);
  await once(session, "remoteSettings");
  for (let time = 0; time < 20; time++) {
    const token = await issuer.sign({ sub: "mallory", role: "admin", jti: String(time) });
    const leaving = session.request({ authorization: `Bearer ${token}` });
    leaving.on("error", () => {});
    leaving.close(8);
    const unknown = await issuer.sign({ sub: "bob", jti: `bob ${time}` });
    const answers = [known, unknown].map((text) => call(one, { headers: bearer(text) }));
    for (const answer of await Promise.all(answers))
      assert.equal(answer.seen().headers["x-role"], undefined);
  }
  session.destroy();
});

test("a header that is ours to write does not pass under another spelling", async () => {
  const outputs = [{ header: "x-sub", claim: "sub" }];
  const one = await stage({ tokenRules: [rule({ outputClaimToHeaders: outputs })] });
  const { headers } = (await call(one, { headers: { X_Sub: "root", x_other: "1" } })).seen();
  assert.deepEqual(
    [headers["x_sub"], headers["x-sub"], headers["x_other"]],
    [undefined, undefined, "1"],
  );
});
