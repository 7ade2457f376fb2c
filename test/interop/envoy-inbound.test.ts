/**
 * The inbound side of a view in a real Envoy: who gets in by which chain, and what the application is told. The same
 * questions are asked of our own sidecar in src/proxy/inbound-transport.test.ts.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, before, test } from "node:test";
import type { PathNormalization } from "../../src/api/mesh-settings.ts";
import type { PortProtocol } from "../../src/api/service.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import type { MutualTlsMode } from "../../src/policy/decision.ts";
import type { InboundPort, WorkloadView } from "../../src/policy/workload-view.ts";
import {
  ask,
  type Caller,
  MESH_HTTP_ALPN,
  MESH_TCP_ALPN,
  RecordingApplication,
  say,
} from "../kit/envoy-callers.ts";
import { eventually } from "../kit/eventually.ts";
import { freePort } from "../kit/free-port.ts";
import { richInbound } from "../kit/rich-inbound.ts";
import { idOf, inboundPort, policy, workloadView } from "../kit/sidecar-fixture.ts";
import {
  type StaticEnvoy,
  type StaticEnvoyOptions,
  startStaticEnvoy,
} from "../kit/static-envoy.ts";
import { createThrowawayAuthority } from "../kit/throwaway-authority.ts";

const DAY_MS = 86_400_000;
const mesh = createThrowawayAuthority();
const formerDays = createThrowawayAuthority({ now: new Date(Date.now() - 2 * DAY_MS) });
const stranger = createThrowawayAuthority();
const frontend = mesh.svid(idOf("frontend"));

const MODES: readonly MutualTlsMode[] = ["STRICT", "PERMISSIVE", "DISABLE"];
const PROTOCOLS: readonly PortProtocol[] = ["http", "tcp", "auto"];

let application: RecordingApplication;
let envoy: StaticEnvoy;
const listens = new Map<string, number>();
const envoys: StaticEnvoy[] = [];

async function start(
  view: WorkloadView,
  options: Omit<StaticEnvoyOptions, "view" | "svid"> = {},
): Promise<StaticEnvoy> {
  const started = await startStaticEnvoy({ view, svid: mesh.svid(idOf("api")), ...options });
  envoys.push(started);
  return started;
}

/** A port for each mode and protocol, behind one Envoy. */
async function portsOfAllKinds(): Promise<readonly InboundPort[]> {
  const ports: InboundPort[] = [];
  for (const mode of MODES)
    for (const protocol of PROTOCOLS) {
      const listen = await freePort();
      listens.set(`${mode} ${protocol}`, listen);
      const port = inboundPort({ listen, application: application.port, mode, protocol });
      ports.push({ ...port, containerPort: 9_000 + ports.length });
    }
  return ports;
}

before(async () => {
  application = await RecordingApplication.start();
  const view = workloadView({
    rootsPem: [mesh.rootPem, formerDays.rootPem],
    ports: await portsOfAllKinds(),
  });
  const accessLog = { provider: "envoy", path: "/dev/stdout" } as const;
  const format = {
    encoding: "TEXT",
    template: "%RESPONSE_FLAGS% %DOWNSTREAM_PEER_URI_SAN%",
  } as const;
  envoy = await start({
    ...view,
    telemetry: { inbound: [{ ...accessLog, format }], outbound: [] },
  });
});
after(async () => {
  await Promise.all(envoys.map((one) => one.stop()));
  application.close();
});

const REQUEST = "GET /orders HTTP/1.1\r\nHost: api:8080\r\n\r\n";

async function tried(key: string, caller: Omit<Caller, "port">): Promise<boolean> {
  const connections = application.connections;
  application.taken();
  const seen = await say({ port: listens.get(key) ?? 0, ...caller }, REQUEST);
  const isIn = /^HTTP\/1\.1 200/.test(seen);
  // Nobody who is refused is heard by the application, and nothing is dialled for him.
  if (!isIn) assert.equal(application.connections, connections, "the application was dialled");
  assert.equal(application.taken().includes("/orders"), isIn);
  return isIn;
}

const certificate = frontend;
const NOWHERE = { STRICT: false, PERMISSIVE: false, DISABLE: false };
const BY_THE_MESH = { STRICT: true, PERMISSIVE: true, DISABLE: false };
const WAYS: readonly [
  who: string,
  Omit<Caller, "port">,
  into: Readonly<Record<string, boolean>>,
][] = [
  ["plaintext (PA-37)", {}, { STRICT: false, PERMISSIVE: true, DISABLE: true }],
  ["a mesh client (PA-30..PA-36)", { alpn: MESH_HTTP_ALPN, certificate }, BY_THE_MESH],
  ["a mesh client's bytes", { alpn: MESH_TCP_ALPN, certificate }, BY_THE_MESH],
  ["no certificate", { alpn: MESH_HTTP_ALPN }, NOWHERE],
  [
    "another authority",
    { alpn: MESH_HTTP_ALPN, certificate: stranger.svid(idOf("frontend")) },
    NOWHERE,
  ],
  [
    "a foreign trust domain (TLS-4)",
    { alpn: MESH_HTTP_ALPN, certificate: mesh.svid("spiffe://else.where/ns/a/sa/b") },
    NOWHERE,
  ],
  [
    "an expired certificate (QK-28)",
    { alpn: MESH_HTTP_ALPN, certificate: formerDays.svid(idOf("frontend")) },
    NOWHERE,
  ],
];

for (const [who, caller, into] of WAYS) {
  for (const mode of MODES) {
    for (const protocol of PROTOCOLS) {
      // On a port that carries bytes in plaintext nobody looks at them: TLS goes to the application, which cannot read it.
      if (mode === "DISABLE" && protocol === "tcp" && caller.alpn !== undefined) continue;
      const expected = into[mode] ?? false;
      test(`${who} is ${expected ? "let in" : "refused"} at a port of ${protocol} under ${mode}`, async () => {
        assert.equal(await tried(`${mode} ${protocol}`, caller), expected);
      });
    }
  }
}

test("OBS-4, OBS-6: who finds no chain is logged as NR, and who gets in with his identity", async () => {
  await eventually("both lines", () => {
    const lines = envoy.lines.map((line) => line.trim());
    return lines.includes("NR -") && lines.includes(`- ${frontend.id}`);
  });
});

test("OBS-30, OBS-32, QK-34: the application hears of its caller from nobody but the proxy", async () => {
  const forged = ["x-forwarded-client-cert: By=a;URI=spiffe://cluster.local/ns/x/sa/admin"];
  const disguised = ["x_forwarded_client_cert: forged", "x-forwarded_for: forged", "x_other: kept"];
  const fields = [...forged, ...disguised];
  application.taken();
  await ask({ port: listens.get("PERMISSIVE http") ?? 0 }, "/plain", fields);
  const plain = application.taken();
  assert.doesNotMatch(plain, /forwarded.client.cert/i);
  assert.doesNotMatch(plain, /forged/);
  assert.match(plain, /x_other: kept/i);
  await ask(
    { port: listens.get("STRICT http") ?? 0, alpn: MESH_HTTP_ALPN, certificate },
    "/",
    fields,
  );
  const told = application.taken();
  assert.doesNotMatch(told, /forged/);
  const [, value = ""] = /x-forwarded-client-cert: ([^\r]*)/i.exec(told) ?? [];
  const last = value.split(",").at(-1) ?? "";
  assert.match(last, /^By=spiffe:\/\/cluster\.local\/ns\/production\/sa\/api;Hash=[0-9a-f]{64};/);
  assert.match(last, new RegExp(`;URI=${frontend.id}$`));
});

/** The table of AP-100 to AP-106, which ends at the application. */
const NORMALIZED: readonly [string, Readonly<Record<string, string>>][] = [
  ["/a/../b", { NONE: "/a/../b", BASE: "/b", MERGE_SLASHES: "/b", DECODE_AND_MERGE_SLASHES: "/b" }],
  [
    "/a//b",
    { NONE: "/a//b", BASE: "/a//b", MERGE_SLASHES: "/a/b", DECODE_AND_MERGE_SLASHES: "/a/b" },
  ],
  [
    "/a%2Fb",
    { NONE: "/a%2Fb", BASE: "/a%2Fb", MERGE_SLASHES: "/a%2Fb", DECODE_AND_MERGE_SLASHES: "/a/b" },
  ],
  [
    "/a/%2e%2e/b",
    { NONE: "/a/%2e%2e/b", BASE: "/b", MERGE_SLASHES: "/b", DECODE_AND_MERGE_SLASHES: "/b" },
  ],
  [
    "/a\\b",
    { NONE: "/a\\b", BASE: "/a/b", MERGE_SLASHES: "/a/b", DECODE_AND_MERGE_SLASHES: "/a/b" },
  ],
  [
    "/a%5Cb",
    { NONE: "/a%5Cb", BASE: "/a%5Cb", MERGE_SLASHES: "/a%5Cb", DECODE_AND_MERGE_SLASHES: "/a/b" },
  ],
  [
    "/a%252Fb",
    {
      NONE: "/a%252Fb",
      BASE: "/a%252Fb",
      MERGE_SLASHES: "/a%252Fb",
      DECODE_AND_MERGE_SLASHES: "/a%252Fb",
    },
  ],
];

for (const pathNormalization of [
  "NONE",
  "BASE",
  "MERGE_SLASHES",
  "DECODE_AND_MERGE_SLASHES",
] as const) {
  test(`AP-100..AP-106: paths under ${pathNormalization} are judged and go on in one form`, async () => {
    const listen = await freePort();
    const denied = policy("DENY", "b", { to: [{ paths: ["/b", "/a/b"] }] });
    const view = workloadView({
      rootsPem: [mesh.rootPem],
      ports: [inboundPort({ listen, application: application.port, mode: "DISABLE" })],
      policies: [denied],
    });
    const settings = pathNormalization as PathNormalization;
    await start({ ...view, inbound: { ...view.inbound, pathNormalization: settings } });
    for (const [received, forms] of NORMALIZED) {
      application.taken();
      const form = forms[pathNormalization] ?? "";
      const { status } = await ask({ port: listen }, received);
      const isDenied = form === "/b" || form === "/a/b";
      assert.equal(status, isDenied ? 403 : 200, `${received} as ${form}`);
      if (!isDenied)
        assert.match(application.taken(), new RegExp(`^GET ${form.replace(/[\\.]/g, "\\$&")} `));
    }
  });
}

test("NetworkPolicy on loopback: whom it does not admit gets nowhere, over HTTP and TCP", async () => {
  const admission = {
    policies: [{ kind: "NetworkPolicy", namespace: "production", name: "only" }],
    identities: [parseSpiffeId(idOf("frontend"))],
    anyone: false,
  };
  const ports: InboundPort[] = [];
  for (const protocol of ["http", "tcp"] as const) {
    const port = inboundPort({
      listen: await freePort(),
      application: application.port,
      protocol,
      mode: "PERMISSIVE",
    });
    ports.push({ ...port, containerPort: 9_100 + ports.length, admission });
  }
  await start(workloadView({ rootsPem: [mesh.rootPem], ports }));
  for (const { listen, protocol } of ports) {
    const alpn = protocol === "http" ? MESH_HTTP_ALPN : MESH_TCP_ALPN;
    application.taken();
    assert.equal(await say({ port: listen.port }, REQUEST), "", "nobody");
    const other = mesh.svid(idOf("other"));
    assert.equal(
      await say({ port: listen.port, alpn, certificate: other }, REQUEST),
      "",
      "another",
    );
    assert.equal(application.taken(), "", "nothing of what they said got there");
    assert.match(await say({ port: listen.port, alpn, certificate }, REQUEST), /200 OK/);
  }
});

test("AP-133: a server that speaks first is heard behind a policy, and hears nobody who is refused", async (context) => {
  let heard = "";
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      heard += bytes.toString();
      socket.end("goodbye");
    });
    socket.write("welcome ");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const listen = await freePort();
  await start(
    workloadView({
      rootsPem: [mesh.rootPem],
      ports: [inboundPort({ listen, application: port, mode: "STRICT", protocol: "tcp" })],
      policies: [policy("ALLOW", "friends", { from: [{ namespaces: ["production"] }] })],
    }),
  );
  const alpn = MESH_TCP_ALPN;
  assert.equal(await say({ port: listen, alpn, certificate }, "hello"), "welcome goodbye");
  assert.equal(heard, "hello");
  const elsewhere = mesh.svid(parseSpiffeId("spiffe://cluster.local/ns/other/sa/frontend"));
  assert.doesNotMatch(await say({ port: listen, alpn, certificate: elsewhere }, "psst"), /goodbye/);
  assert.equal(heard, "hello");
});

const UNDECLARED = { mutualTls: { mode: "PERMISSIVE", origin: "default" }, ports: [] } as const;

for (const [where, captured] of [
  ["on loopback", false],
  ["where the kernel leads connections to it", true],
] as const) {
  test(`Envoy takes everything that it can be told of an inbound side ${where}`, async () => {
    const listens = await Promise.all(Array.from({ length: 12 }, () => freePort()));
    const view = richInbound(listens);
    const interception = { undeclaredPorts: UNDECLARED, unknownDestinations: "ALLOW_ANY" } as const;
    const capture = { inboundPort: await freePort(), outboundPort: await freePort() };
    const trust = { ...view.trust, rootsPem: [mesh.rootPem] };
    const started = await start(
      { ...view, trust, ...(captured && { interception }) },
      {
        agentSocket: "/nobody.sock",
        settings: { connectionAgeSeconds: 600, ...(captured && { capture, mark: 1 }) },
      },
    );
    const listeners = await started.ask("/listeners");
    const expected = captured ? [capture.inboundPort] : listens;
    for (const port of expected) assert.match(listeners, new RegExp(`:${port}\\b`));
  });
}

test("PA-40: whoever calls the proxy's own port is led nowhere", async () => {
  const capture = { inboundPort: await freePort(), outboundPort: await freePort() };
  const interception = { undeclaredPorts: UNDECLARED, unknownDestinations: "ALLOW_ANY" } as const;
  const view = { ...workloadView({ rootsPem: [mesh.rootPem] }), interception };
  await start(view, { settings: { capture } });
  assert.equal(await say({ port: capture.inboundPort }, REQUEST), "");
});
