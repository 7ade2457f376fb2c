import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { sampleView } from "../../test/kit/sample-view.ts";
import type { Destination, Endpoint, WorkloadView } from "../policy/workload-view.ts";
import type { CollectorPlace } from "../telemetry/tracing/collector-connection.ts";
import { collectorConnections } from "./collector-connections.ts";
import type { CallContent } from "./mesh-protocols.ts";
import { connectDirectly, dialPlaintext, type Upstream } from "./upstream-dialer.ts";

const sample = sampleView({
  name: "shop/api-0",
  identity: "spiffe://cluster.local/ns/shop/sa/api",
  rootPem: "",
});
const HOST = "otel.observability.svc.cluster.local";

async function listening(context: TestContext): Promise<Server & { readonly port: number }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on("error", () => undefined)));
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

function endpointAt(port: number, changes: Partial<Endpoint> = {}): Endpoint {
  const address = { address: "127.0.0.1", port };
  return { workload: "observability/otel-0", address, mutualTls: true, ...changes };
}

function viewWith(endpoints: readonly Endpoint[]): WorkloadView {
  const [first] = sample.outbound.destinations;
  assert.ok(first);
  const otel: Destination = {
    ...first,
    serviceNamespace: "observability",
    serviceName: "otel",
    host: HOST,
    servicePort: 4317,
    endpoints,
  };
  return { ...sample, outbound: { destinations: [first, otel] } };
}

interface Dialled {
  readonly host: string;
  readonly content: CallContent;
  readonly port: number;
}

function connections(view: WorkloadView, dial = dialPlaintext) {
  const dialled: Dialled[] = [];
  const connect = collectorConnections({
    view: () => view,
    targets: {
      dial: (destination, { endpoint, content }): Promise<Upstream> => {
        dialled.push({ host: destination.host, content, port: endpoint.address.port });
        return dial(endpoint.address);
      },
    },
    connect: connectDirectly,
    random: () => 0.99,
  });
  return { connect, dialled };
}

const place = (changes: Partial<CollectorPlace> = {}): CollectorPlace => ({
  host: HOST,
  port: 4317,
  protocol: "grpc",
  ...changes,
});
const waiting = new AbortController().signal;

const known: [what: string, changes: Partial<CollectorPlace>, content: CallContent][] = [
  ["by its full name", {}, "HTTP/2"],
  ["by a short one", { host: "otel.observability" }, "HTTP/2"],
  ["with its namespace", { namespace: "observability" }, "HTTP/2"],
  ["over HTTP", { protocol: "http" }, "upgrade"],
];
for (const [what, changes, content] of known) {
  test(`a service of the mesh, ${what}, is dialled as one`, async (context) => {
    const { port } = await listening(context);
    const { connect, dialled } = connections(viewWith([endpointAt(1), endpointAt(port)]));
    const socket = await connect(place(changes), waiting);
    socket.destroy();
    assert.deepEqual(dialled, [{ host: HOST, content, port }]);
  });
}

test("what is no service of the mesh is found by its name", async (context) => {
  const { port } = await listening(context);
  const { connect, dialled } = connections(viewWith([]));
  for (const namespace of [undefined, "elsewhere"]) {
    const there = { host: "localhost", port, ...(namespace !== undefined && { namespace }) };
    const socket = await connect(place(there), waiting);
    socket.destroy();
  }
  assert.deepEqual(dialled, []);
});

test("an endpoint that a NetworkPolicy keeps us from is not dialled", async (context) => {
  const { port } = await listening(context);
  const refusedBy = { direction: "egress", policies: [] } as const;
  const { connect, dialled } = connections(
    viewWith([endpointAt(port), endpointAt(1, { refusedBy })]),
  );
  const socket = await connect(place(), waiting);
  socket.destroy();
  assert.equal(dialled[0]?.port, port);
  const shut = connections(viewWith([endpointAt(1, { refusedBy })]));
  await assert.rejects(shut.connect(place(), waiting), /NetworkPolicy keeps us from otel/);
});

test("a service without endpoints is an error", async () => {
  const { connect } = connections(viewWith([]));
  await assert.rejects(connect(place(), waiting), /otel.*:4317 has no ready endpoint/);
});

test("a connection that comes when nobody waits for it any more is closed", async (context) => {
  const { port } = await listening(context);
  let late: Upstream | undefined;
  const { connect } = connections(viewWith([endpointAt(port)]), async (to) => {
    await delay(50);
    late = await dialPlaintext(to);
    return late;
  });
  const leaving = new AbortController();
  const connecting = connect(place(), leaving.signal);
  leaving.abort();
  await assert.rejects(connecting, { name: "AbortError" });
  await eventually("its end", () => late?.socket.destroyed);
});
