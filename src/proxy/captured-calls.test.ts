import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { destination, LOOPBACK, portOf, workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Interception } from "../policy/workload-view.ts";
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
}) {
  const { original, unknownDestinations } = options;
  const mutualTls = { mode: "STRICT", origin: "default" } as const;
  const view = {
    ...workloadView({
      rootsPem: [],
      destinations: [{ ...destination({ name: "api", port: 1 }), addresses: [SERVICE.address] }],
    }),
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
      accessLog: (line) => entries.push(JSON.parse(line)),
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
