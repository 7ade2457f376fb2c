/** What a real Envoy decides, as entries of the pod's access log: by which rule, and of whom. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import { appliedRateLimit } from "../kit/applied-rate-limit.ts";
import { MESH_HTTP_ALPN, say } from "../kit/envoy-callers.ts";
import { startTestEnvoy, type TestEnvoy } from "../kit/envoy-pod.ts";
import { eventually } from "../kit/eventually.ts";
import { freePort } from "../kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  PROXY_PASSWORD,
  policy,
  portOf,
  workloadView,
} from "../kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../kit/throwaway-authority.ts";

const DAY_MS = 86_400_000;
const mesh = createThrowawayAuthority();
const formerDays = createThrowawayAuthority({ now: new Date(Date.now() - 2 * DAY_MS) });
const stranger = createThrowawayAuthority();
const POLICIES = [
  policy("ALLOW", "readers", {
    from: [{ principals: ["cluster.local/ns/production/sa/web"] }],
    to: [{ methods: ["GET"] }],
  }),
  policy("DENY", "nobody", { to: [{ paths: ["/admin"] }] }),
];

let application: Server;
let api: TestEnvoy;
let web: TestEnvoy;
let calls: number;
let httpProxy: number;
let apiPort: number;
/** Of an application that takes bytes. */
let tcpPort: number;
before(async () => {
  application = createServer((_, response) => response.end("done"));
  await once(application.listen(0, LOOPBACK), "listening");
  [apiPort, tcpPort, calls] = [await freePort(), await freePort(), await freePort()];
  httpProxy = await freePort();
  const behind = { application: portOf(application) };
  const ports = [
    inboundPort({ listen: apiPort, ...behind }),
    { ...inboundPort({ listen: tcpPort, ...behind, protocol: "tcp" }), containerPort: 9_000 },
  ];
  const destinations = [destination({ name: "api", port: apiPort, listen: calls })];
  [api, web] = await Promise.all([
    startTestEnvoy({
      view: workloadView({
        rootsPem: [mesh.rootPem, formerDays.rootPem],
        ports,
        policies: POLICIES,
      }),
      svid: mesh.svid(idOf("api")),
    }),
    startTestEnvoy({
      view: workloadView({ name: "web", rootsPem: [mesh.rootPem], destinations, httpProxy }),
      svid: mesh.svid(idOf("web")),
    }),
  ]);
});
after(async () => {
  await web?.close();
  await api?.close();
  application?.closeAllConnections();
  application?.close();
});

async function ask(method: string, path: string): Promise<AccessLogEntry> {
  const id = `${method} ${path}`;
  const headers = { host: "api.production:8080", "x-request-id": id };
  const asked = request({ host: LOOPBACK, port: calls, method, path, headers, agent: false });
  const [response] = await once(asked.end(), "response");
  response.resume();
  return api.entry(({ request_id }) => request_id === id);
}

test("what a rule lets through is told with it, and by both ends of the call", async () => {
  const entry = await ask("GET", "/orders");
  assert.equal(entry.response_code, 200);
  assert.equal(entry.reporter, "destination");
  assert.deepEqual(
    [entry.source_principal, entry.destination_principal],
    [idOf("web"), idOf("api")],
  );
  assert.equal(entry.source_certificate_serial, web.svid.current?.serialNumber);
  const reason = entry.decision?.reason;
  assert.ok(reason?.because === "matched-allow");
  assert.equal(reason.matched.policy.name, "readers");
  const called = await web.entry(({ request_id }) => request_id === "GET /orders");
  assert.equal(called.reporter, "source");
  assert.equal(called.downstream_local_address, `${LOOPBACK}:${calls}`);
  assert.equal(called.upstream_local_address, entry.downstream_remote_address);
  assert.equal(called.decision, null);
});

for (const [what, request] of [
  ["a request", "GET http://nobody.example.com/a HTTP/1.1\r\nHost: nobody.example.com"],
  ["a tunnel", "CONNECT nobody.example.com:443 HTTP/1.1\r\nHost: nobody.example.com:443"],
] as const)
  test(`${what} to a host that is no service is answered with a sentence, and told as that`, async () => {
    const right = Buffer.from(`web-0:${PROXY_PASSWORD}`).toString("base64");
    const before = web.entries.length;
    const fields = `Proxy-Authorization: Basic ${right}\r\nConnection: close`;
    const seen = await say({ port: httpProxy }, `${request}\r\n${fields}\r\n\r\n`);
    assert.match(seen, /^HTTP\/1.1 502 .*this host and port are no service/s);
    const told = await eventually("it is told", () =>
      web.entries.slice(before).find((one) => one.decision),
    );
    assert.deepEqual(
      [told.response_code, told.decision?.verdict, told.decision?.reason.because],
      [502, "deny", "unknown-destination"],
    );
  });

test("what a DENY rule refuses is told with it (AP-34)", async () => {
  const { decision, response_code } = await ask("GET", "/admin");
  assert.equal(response_code, 403);
  assert.equal(decision?.verdict, "deny");
  assert.ok(decision.reason.because === "matched-deny");
  assert.equal(decision.reason.matched.policy.name, "nobody");
});

test("what no rule lets through is told with what is unmet", async () => {
  const { decision } = await ask("DELETE", "/orders");
  assert.ok(decision?.reason.because === "no-allow-matched");
  assert.deepEqual(decision.reason.nearest[0]?.unmet, [
    { field: "to.operation.methods", expected: "GET", got: "DELETE" },
  ]);
});

test("plaintext under STRICT is told (PA-37)", async () => {
  const socket = connect({ host: LOOPBACK, port: apiPort });
  socket.write("GET / HTTP/1.1\r\nhost: api\r\n\r\n");
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("close", resolve));
  const { decision, upstream_cluster } = await api.entry(
    (one) => one.decision?.reason.because === "plaintext-refused",
  );
  assert.equal(decision?.verdict, "deny");
  assert.equal(upstream_cluster, "inbound|8080||");
});

const REFUSED: readonly [who: string, certificate: X509Svid | undefined, problem: RegExp][] = [
  ["no certificate", undefined, /^no certificate was presented$/],
  ["another authority's", stranger.svid(idOf("web")), /ISSUER_CERT_LOCALLY; trusted here is "/],
  [
    "a foreign trust domain's (TLS-4)",
    mesh.svid(parseSpiffeId("spiffe://else.where/ns/a/sa/b")),
    /foreign/,
  ],
  ["an expired one (QK-28)", formerDays.svid(idOf("web")), /: CERT_HAS_EXPIRED$/],
];

for (const [who, certificate, problem] of REFUSED) {
  for (const serves of ["http", "tcp"]) {
    test(`a caller with ${who} is told once, at a port of ${serves}, with the reason and the port`, async () => {
      const port = serves === "http" ? apiPort : tcpPort;
      const caller = { port, alpn: MESH_HTTP_ALPN, ...(certificate && { certificate }) };
      const isOfHandshake = (one: AccessLogEntry): boolean =>
        one.downstream_local_address === `${LOOPBACK}:${port}` &&
        one.decision?.reason.because === "peer-not-verified" &&
        problem.test(one.decision.reason.problem);
      assert.doesNotMatch(await say(caller, "GET / HTTP/1.1\r\nHost: api\r\n\r\n"), /200/);
      const entry = await api.entry(isOfHandshake);
      assert.equal(entry.upstream_cluster, `inbound|${serves === "http" ? 8_080 : 9_000}||`);
      assert.deepEqual([entry.source_principal, entry.source_certificate_serial], [null, null]);
      // Whatever Envoy wrote of it before is read before this.
      await ask("GET", `/after/${entry.downstream_remote_address}`);
      const told = api.entries.filter(
        (one) => one.downstream_remote_address === entry.downstream_remote_address,
      );
      assert.equal(told.length, 1);
    });
  }
}

test("a connection that stood, and is reset, is no failed handshake", async () => {
  const raw = connect({ host: LOOPBACK, port: apiPort });
  raw.on("error", () => undefined);
  const svid = mesh.svid(idOf("web"));
  const socket = connectTls({
    socket: raw,
    ALPNProtocols: [...MESH_HTTP_ALPN],
    rejectUnauthorized: false,
    cert: svid.certificateChainPem,
    key: svid.privateKeyPem,
  });
  socket.on("error", () => undefined);
  socket.write("GET /stood HTTP/1.1\r\nhost: api\r\n\r\n");
  await once(socket, "data");
  const own = `${LOOPBACK}:${raw.localPort}`;
  raw.resetAndDestroy();
  await api.entry(({ path }) => path === "/stood");
  await ask("GET", "/after-reset");
  const told = api.entries.filter((one) => one.downstream_remote_address === own);
  assert.deepEqual(
    told.map(({ decision }) => decision?.verdict),
    ["allow"],
  );
});

test("a connection too many is told as that, and not as its client's failure", async () => {
  const before = api.views.current ?? assert.fail();
  const limit = appliedRateLimit({ counts: "connections", amount: 1, burst: 1, perMs: 3_600_000 });
  api.views.set({ ...before, inbound: { ...before.inbound, rateLimits: [limit] } });
  const svid = mesh.svid(idOf("web"));
  const caller = { port: apiPort, alpn: MESH_HTTP_ALPN, certificate: svid };
  const { decision, upstream_cluster } = await eventually("a refusal", async () => {
    await say(caller, "GET / HTTP/1.1\r\nHost: api\r\n\r\n");
    return api.entries.find(({ decision: one }) => one?.reason.because === "told-by-envoy");
  });
  const details = "local_ratelimit_close_over_limit";
  assert.deepEqual(decision, { verdict: "deny", reason: { because: "told-by-envoy", details } });
  assert.equal(upstream_cluster, "inbound|8080||");
  api.views.set({ ...before });
  await eventually("the limit is gone", async () =>
    /200/.test(await say(caller, "GET / HTTP/1.1\r\nHost: api\r\n\r\n")),
  );
});

test("what Envoy refuses of what it is sent is known, and forgotten once it is wanted no more", async () => {
  const before = api.views.current ?? assert.fail();
  const path = "/no/such/folder/access.log";
  const log = { provider: "file", path, format: { encoding: "TEXT" } } as const;
  api.views.set({ ...before, telemetry: { inbound: [log], outbound: [] } });
  const [refusal] = await eventually("a refusal", () => {
    const refusals = api.refusals();
    return refusals.length > 0 && refusals;
  });
  assert.equal(refusal?.what, "listeners");
  assert.match(refusal?.error ?? "", /unable to open file/);
  assert.equal((await ask("GET", "/still")).response_code, 200);
  api.views.set({ ...before });
  await eventually("the end of it", () => api.refusals().length === 0);
});
