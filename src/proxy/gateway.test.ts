/** The gateway with the host's side of it, over real sockets; only the kernel's redirect is left out. */
import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { freePort } from "../../test/kit/free-port.ts";
import { type RecordedLog, recordedLog } from "../../test/kit/recorded-log.ts";
import { sampleDestination } from "../../test/kit/sample-destination.ts";
import { parseCidr } from "../api/cidr.ts";
import { HostGate } from "../local/network/host-gate.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Destination } from "../policy/workload-view.ts";
import { dnsFailure } from "../runtime/dns-envelope.ts";
import { readFirstLine } from "../runtime/first-line.ts";
import { ListenError } from "../runtime/listen-error.ts";
import { silentLog } from "../runtime/log.ts";
import { Gateway, type GatewayOptions } from "./gateway.ts";

const folder = await mkdtemp(join(tmpdir(), "hauberk-gateway-test-"));
const closing: (() => unknown)[] = [];
after(async () => {
  await Promise.all(closing.map((close) => close()));
  await rm(folder, { recursive: true });
});

const LOOPBACK = parseCidr("127.0.0.1/32");
let meshes = 0;

interface Mesh {
  readonly gateway: Gateway;
  readonly gate: HostGate;
  readonly log: RecordedLog;
  readonly resolver: Resolver;
  readonly options: GatewayOptions;
}

/** @param target where every connection was going that arrives at the way out */
async function openMesh(
  destinations: readonly Destination[],
  target: (client: Socket) => SocketAddress | undefined = () => undefined,
): Promise<Mesh> {
  const name = String(++meshes);
  const sockets = {
    egressSocket: join(folder, `${name}.egress`),
    ingressSocket: join(folder, `${name}.ingress`),
  };
  const log = recordedLog();
  const gate = await HostGate.open({
    ...sockets,
    ...(LOOPBACK && { allowed: [LOOPBACK] }),
    resolver: { resolve: async (query) => dnsFailure(query, "NXDOMAIN") },
    log: silentLog,
  });
  const options: GatewayOptions = {
    dnsAddresses: ["127.0.0.1"],
    dnsPort: await freePort(),
    egressPort: await freePort(),
    ...sockets,
    destinations,
    originalDestination: target,
    random: () => 0,
    log,
  };
  const gateway = await Gateway.open(options);
  closing.push(
    () => gateway.close(),
    () => gate.close(),
  );
  const resolver = new Resolver({ timeout: 5_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${options.dnsPort}`]);
  return { gateway, gate, log, resolver, options };
}

/** Answers each connection with its own name, once the other side is done, and with what it heard. */
async function program(name: string): Promise<SocketAddress & { readonly server: Server }> {
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    socket.on("error", () => {});
    socket.end(`${name} heard ${await textOf(socket)}`);
  });
  const port = await freePort();
  await once(server.listen(port, "127.0.0.1"), "listening");
  closing.push(() => server.close());
  return { address: "127.0.0.1", port, server };
}

async function textOf(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  socket.resume();
  await once(socket, "end");
  return text;
}

async function call(port: number, text: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  closing.push(() => socket.destroy());
  socket.end(text);
  return textOf(socket);
}

async function isReset(port: number): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port });
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");
}

const api = (endpoints: readonly SocketAddress[]): Destination =>
  sampleDestination({ service: "shop/api", port: 80, addresses: ["10.96.0.7"], endpoints });

test("names of the mesh are answered here, others by the host's side", async () => {
  const { gateway, resolver } = await openMesh([api([])]);
  assert.deepEqual(await resolver.resolve4("api.shop.svc.cluster.local"), ["10.96.0.7"]);
  assert.deepEqual(await resolver.reverse("10.96.0.7"), ["api.shop.svc.cluster.local"]);
  await assert.rejects(resolver.resolve4("example.com"), { code: "ENOTFOUND" });
  gateway.setDestinations([]);
  await assert.rejects(resolver.resolve4("api.shop.svc.cluster.local"), { code: "ENOTFOUND" });
});

test("without the host's side other names fail, and those of the mesh do not", async () => {
  const { gate, resolver } = await openMesh([api([])]);
  await gate.close();
  await assert.rejects(resolver.resolve4("example.com"), { code: "ESERVFAIL" });
  assert.deepEqual(await resolver.resolve4("api.shop"), ["10.96.0.7"]);
});

test("connections go out to where they were going, each direction ending on its own", async () => {
  const { address, port } = await program("outside");
  const { options } = await openMesh([], () => ({ address, port }));
  assert.equal(await call(options.egressPort, "hello"), "outside heard hello");
});

test("what cannot be reached, or must not be, is reset, and told with caller and target", async () => {
  const nobody = await freePort();
  for (const [target, problem] of [
    [{ address: "127.0.0.1", port: nobody }, "ECONNREFUSED"],
    [{ address: "127.0.0.2", port: 22 }, "refused-loopback"],
    [{ address: "10.244.0.1", port: 15_012 }, "refused-mesh-address"],
  ] as const) {
    const { options, log } = await openMesh([], () => target);
    await isReset(options.egressPort);
    const [line, ...others] = log.find("no connection to the outside");
    assert.deepEqual(line?.fields, {
      from: "127.0.0.1",
      to: `${target.address}:${target.port}`,
      problem,
    });
    assert.deepEqual(others, []);
  }
});

test("a connection to the way out itself is reset: it would come round without end", async () => {
  let asked = 0;
  const { options, log, gate } = await openMesh(
    [],
    ({ localAddress: address = "", localPort: port = 0 }) => {
      asked++;
      return { address, port };
    },
  );
  await isReset(options.egressPort);
  await gate.close();
  assert.equal(asked, 1);
  assert.match(String(log.lines[0]?.fields["problem"]), /calls the gateway itself/);
});

test("where the kernel does not say where a connection was going, it is reset", async () => {
  const { options } = await openMesh([], () => undefined);
  await isReset(options.egressPort);
});

test("published ports reach the endpoints of their service in turn, as they are now", async () => {
  const [first, second, third] = [await program("1"), await program("2"), await program("3")];
  const { gateway, gate, options } = await openMesh([api([first, second])]);
  assert.equal((await stat(options.ingressSocket)).mode & 0o777, 0o600);
  const port = await freePort();
  const listen = { address: "127.0.0.1", port };
  await gate.publish([{ service: "shop/api", port: 80, listen }]);
  assert.equal(await call(port, "a"), "2 heard a");
  assert.equal(await call(port, "b"), "1 heard b");
  assert.equal(await call(port, "c"), "2 heard c");
  gateway.setDestinations([api([third])]);
  assert.equal(await call(port, "d"), "3 heard d");
});

test("an endpoint that does not answer is passed over", async () => {
  const nobody = { address: "127.0.0.1", port: await freePort() };
  const { gate } = await openMesh([api([nobody, await program("2")])]);
  const port = await freePort();
  await gate.publish([{ service: "shop/api", port: 80, listen: { address: "127.0.0.1", port } }]);
  for (const text of ["a", "b", "c"]) assert.equal(await call(port, text), `2 heard ${text}`);
});

const refusals: [line: string, answer: string][] = [
  ["CONNECT shop/none 80", "FAILED unknown-service"],
  ["CONNECT shop/api 81", "FAILED unknown-service"],
  ["CONNECT shop/api 80", "FAILED no-ready-endpoint"],
  ["DNS", "FAILED malformed-request"],
  ["GET / HTTP/1.1", "FAILED malformed-request"],
];
for (const [line, answer] of refusals) {
  test(`"${line}" from the host's side gets "${answer}", and is told`, async () => {
    const { options, log } = await openMesh([api([])]);
    const socket = connect({ path: options.ingressSocket });
    socket.write(`${line}\n`);
    assert.equal(await readFirstLine(socket, { maxBytes: 100, timeoutMs: 10_000 }), answer);
    assert.equal(log.find("no connection to a published service").length, 1);
    socket.destroy();
  });
}

test("an endpoint that refuses is told to the host's side", async () => {
  const nobody = { address: "127.0.0.1", port: await freePort() };
  const { options } = await openMesh([api([nobody])]);
  const socket = connect({ path: options.ingressSocket });
  socket.write("CONNECT shop/api 80\n");
  assert.equal(
    await readFirstLine(socket, { maxBytes: 100, timeoutMs: 10_000 }),
    "FAILED ECONNREFUSED",
  );
  socket.destroy();
});

test("what is closed serves nothing any more, and can be opened again", async () => {
  const { address, port } = await program("outside");
  const { gateway, options } = await openMesh([], () => ({ address, port }));
  const standing = connect({ host: "127.0.0.1", port: options.egressPort }).on("error", () => {});
  await once(standing, "connect");
  await gateway.close();
  await once(standing.resume(), "close");
  const again = await Gateway.open(options);
  assert.equal(await call(options.egressPort, "hello"), "outside heard hello");
  await again.close();
});

test("a gateway that cannot serve all of it serves nothing of it", async () => {
  const { options } = await openMesh([]);
  const dnsPort = await freePort();
  const ingressSocket = join(folder, "no", "such", "folder");
  const egressPort = await freePort();
  await assert.rejects(
    Gateway.open({ ...options, dnsPort, egressPort, ingressSocket }),
    ListenError,
  );
  const gateway = await Gateway.open({
    ...options,
    dnsPort,
    egressPort,
    ingressSocket: join(folder, "again.ingress"),
  });
  await gateway.close();
});
