import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { eventually } from "../../test/kit/eventually.ts";
import { outsideDestination } from "../../test/kit/outside-destination.ts";
import { destination, LOOPBACK, portOf, workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination, Interception } from "../policy/workload-view.ts";
import { systemClock } from "../runtime/clock.ts";
import { silentLog } from "../runtime/log.ts";
import { WatchedValue } from "../runtime/watched.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { CapturedCalls } from "./captured-calls.ts";
import { compileView } from "./compiled-view.ts";
import type { OutboundCall } from "./outbound-call.ts";
import { Recorder } from "./recorder.ts";
import { KnownTokens } from "./token-authentication.ts";
import { connectDirectly } from "./upstream-dialer.ts";

const SERVICE = { address: "10.96.0.7", port: 8080 };
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function listening(serve: (socket: Socket) => void): Promise<SocketAddress> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    serve(socket);
  });
  servers.push(server);
  await once(server.listen(0, LOOPBACK), "listening");
  return { address: LOOPBACK, port: portOf(server) };
}

/** Takes every connection as if the kernel had led it here on its way to `original`. */
async function captured(options: {
  readonly original: SocketAddress;
  readonly unknownDestinations?: Interception["unknownDestinations"];
  /** Beside a service. */
  readonly outside?: readonly Destination[];
  /** Hosts that only VirtualServices name. */
  readonly routed?: readonly string[];
}) {
  const { original, unknownDestinations, outside = [], routed } = options;
  const mutualTls = { mode: "STRICT", origin: "default" } as const;
  const made = workloadView({
    rootsPem: [],
    destinations: [
      { ...destination({ name: "api", port: 1 }), addresses: [SERVICE.address] },
      ...outside,
    ],
  });
  const virtualHosts = routed && [{ domains: routed, routes: [] }];
  const view = {
    ...made,
    outbound: { ...made.outbound, ...(virtualHosts && { virtualHosts }) },
    ...(unknownDestinations && {
      interception: { undeclaredPorts: { mutualTls, ports: [] }, unknownDestinations },
    }),
  };
  const entries: AccessLogEntry[] = [];
  const metrics = createMetrics();
  const served: { readonly by: "known" | "requests"; readonly call: OutboundCall }[] = [];
  const take =
    (by: "known" | "requests") =>
    (socket: Socket, call: OutboundCall): void => {
      served.push({ by, call });
      socket.end(by);
    };
  const calls = new CapturedCalls({
    compiled: new WatchedValue(compileView(view, new KnownTokens())),
    connect: connectDirectly,
    known: take("known"),
    requests: take("requests"),
    recorder: new Recorder({
      view: () => view,
      metrics,
      accessLog: (line) => entries.push(JSON.parse(String(line))),
      clock: systemClock,
    }),
    log: silentLog,
  });
  const at = await listening((socket) =>
    calls.serve(socket, {
      acceptedAt: new Date(),
      remote: { address: LOOPBACK, port: socket.remotePort ?? 0 },
      local: original,
      expectFirstByte: () => () => {},
    }),
  );
  return { at, entries, served, metrics };
}

function send(port: number, text: string): Promise<string> {
  const socket = connect(port, LOOPBACK);
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
  });
  socket.on("error", () => socket.destroy());
  if (text !== "") socket.write(text);
  return new Promise((resolve) => socket.once("close", () => resolve(answer)));
}

test("a service's address is a call to the service", async () => {
  for (const unknownDestinations of ["ALLOW_ANY", "REGISTRY_ONLY"] as const) {
    const { at, served } = await captured({ original: SERVICE, unknownDestinations });
    assert.equal(await send(at.port, "anything"), "known");
    const [{ call } = assert.fail("not served")] = served;
    assert.deepEqual(call.via, { host: "api.production.svc.cluster.local", servicePort: 8080 });
    assert.equal(call.captured, true);
    assert.equal(call.facts.local, SERVICE);
  }
});

test("ALLOW_ANY sends on what nobody knows, also to whoever speaks first, and counts it", async () => {
  const original = await listening((socket) => socket.end("welcome"));
  const { at, entries, metrics } = await captured({ original, unknownDestinations: "ALLOW_ANY" });
  assert.equal(await send(at.port, ""), "welcome");
  const entry = await eventually("an entry", () => entries[0]);
  assert.equal(entry.upstream_cluster, "PassthroughCluster");
  assert.equal(entry.upstream_host, `${LOOPBACK}:${original.port}`);
  assert.equal(entry.bytes_sent, "welcome".length);
  assert.equal(entry.decision, null);
  assert.match(await metrics.exposition(), /destination_service_name="PassthroughCluster"/);
});

test("ALLOW_ANY: where nobody answers the connection ends, and the log says why", async () => {
  const original = await listening(() => {});
  const gone = servers.pop();
  assert.ok(gone);
  await new Promise((resolve) => gone.close(resolve));
  const { at, entries } = await captured({ original, unknownDestinations: "ALLOW_ANY" });
  assert.equal(await send(at.port, "anything"), "");
  const entry = await eventually("an entry", () => entries[0]);
  assert.equal(entry.response_flags, "UF");
  assert.match(entry.upstream_transport_failure_reason ?? "", /ECONNREFUSED/);
});

for (const unknownDestinations of ["REGISTRY_ONLY", undefined] as const) {
  const what = unknownDestinations ?? "a view that does not say";
  for (const [how, text] of [
    ["bytes", "\x01\x02"],
    ["TLS", "\x16\x03\x01\x00\x05hello"],
    ["silence", ""],
  ] as const) {
    test(`${what}: nobody is dialled for ${how}`, async () => {
      let dialled = 0;
      const original = await listening(() => dialled++);
      const { at, entries, served } = await captured({
        original,
        ...(unknownDestinations && { unknownDestinations }),
      });
      assert.equal(await send(at.port, text), "");
      const entry = await eventually("an entry", () => entries[0]);
      assert.equal(entry.upstream_cluster, "BlackHoleCluster");
      assert.deepEqual(entry.decision, {
        verdict: "deny",
        reason: { because: "unknown-destination" },
      });
      assert.deepEqual(served, []);
      assert.equal(dialled, 0);
    });
  }

  test(`${what}: a request is to be answered`, async () => {
    const original = { address: "198.51.100.7", port: 80 };
    const { at, served } = await captured({
      original,
      ...(unknownDestinations && { unknownDestinations }),
    });
    assert.equal(await send(at.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "requests");
    assert.equal(served[0]?.call.via, "unknown");
    assert.equal(served[0]?.call.facts.cluster, "BlackHoleCluster");
  });
}

const NOWHERE = { address: "198.51.100.7", port: 80 };
const NONE = { serviceEntry: { resolution: "NONE" } } as const;
const byAddress: readonly [name: string, outside: Destination, via: unknown][] = [
  [
    "an address of a ServiceEntry",
    outsideDestination({ host: "a.example", addresses: [NOWHERE.address] }),
    { host: "a.example", servicePort: 80 },
  ],
  [
    "one with resolution NONE, which is called where the application called it",
    outsideDestination({ host: "a.example", addresses: [NOWHERE.address], ...NONE }),
    { host: "a.example", servicePort: 80, only: NOWHERE },
  ],
  [
    "a range",
    outsideDestination({
      host: "a.example",
      serviceEntry: { resolution: "NONE", ranges: ["198.51.100.0/24"] },
    }),
    { host: "a.example", servicePort: 80, only: NOWHERE },
  ],
];
for (const [name, outside, via] of byAddress) {
  test(`${name} is known`, async () => {
    const { at, served } = await captured({ original: NOWHERE, outside: [outside] });
    assert.equal(await send(at.port, "anything"), "known");
    assert.deepEqual(served[0]?.call.via, via);
  });
}

const HELLO = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
for (const unknownDestinations of ["ALLOW_ANY", "REGISTRY_ONLY"] as const) {
  const outside = [outsideDestination({ host: "*.example", ...NONE })];

  test(`${unknownDestinations}: a host that a ServiceEntry knows is found by its name, at whatever address`, async () => {
    const { at, served } = await captured({ original: NOWHERE, unknownDestinations, outside });
    assert.equal(await send(at.port, HELLO), "requests");
    assert.equal(served[0]?.call.via, "unknown");
  });

  test(`${unknownDestinations}: TLS is known by its server name`, async () => {
    const tls = outsideDestination({
      host: "a.example",
      servicePort: 443,
      protocol: "tcp",
      serviceEntry: { resolution: "NONE", toldBySni: true },
    });
    const original = { address: NOWHERE.address, port: 443 };
    const { at, served } = await captured({ original, unknownDestinations, outside: [tls] });
    const socket = connectTls({ port: at.port, host: LOOPBACK, servername: "a.example" });
    socket.on("error", () => socket.destroy());
    await eventually("its call", () => served[0]);
    assert.deepEqual(served[0]?.call.via, { host: "a.example", servicePort: 443, only: original });
  });
}

test("ALLOW_ANY: other hosts at such a port are sent on as they come", async () => {
  const original = await listening((socket) => {
    socket.once("data", (chunk) => socket.end(`heard ${chunk.length}`));
  });
  const outside = [
    outsideDestination({ host: "b.example", servicePort: original.port }),
    outsideDestination({
      host: "c.example",
      servicePort: original.port,
      protocol: "tcp",
      serviceEntry: { toldBySni: true },
    }),
  ];
  const { at, entries } = await captured({ original, unknownDestinations: "ALLOW_ANY", outside });
  assert.equal(await send(at.port, HELLO), `heard ${HELLO.length}`);
  assert.equal(await send(at.port, "\x01\x02"), "heard 2");
  const entry = await eventually("an entry", () => entries[1]);
  assert.equal(entry.upstream_cluster, "PassthroughCluster");
});

test("REGISTRY_ONLY: bytes at such a port are refused", async () => {
  const outside = [outsideDestination({ host: "b.example" })];
  const options = { original: NOWHERE, unknownDestinations: "REGISTRY_ONLY", outside } as const;
  const { at, entries, served } = await captured(options);
  assert.equal(await send(at.port, "\x01\x02"), "");
  const entry = await eventually("an entry", () => entries[0]);
  assert.equal(entry.upstream_cluster, "BlackHoleCluster");
  assert.deepEqual(served, []);
});

for (const unknownDestinations of ["ALLOW_ANY", "REGISTRY_ONLY"] as const) {
  test(`${unknownDestinations}: a host that only a VirtualService names goes where its routes lead`, async () => {
    const options = { original: NOWHERE, unknownDestinations, routed: ["a.example"] };
    const { at, served } = await captured(options);
    assert.equal(await send(at.port, HELLO), "requests");
    assert.equal(served[0]?.call.via, "unknown");
  });
}
