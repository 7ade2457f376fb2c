/**
 * Where an Envoy leads the calls of an application that has a network of its own: by address, by host, by server name. The
 * kernel's word for where a connection was going is told here by the PROXY protocol, so that no network is needed.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { PortProtocol } from "../../src/api/service.ts";
import { envoyResources } from "../../src/envoy/envoy-resources.ts";
import type { CapturePorts } from "../../src/envoy/proxy-settings.ts";
import type { Destination, WorkloadView } from "../../src/policy/workload-view.ts";
import { httpServer } from "../kit/edge-stage.ts";
import { findOrFetchEnvoy } from "../kit/envoy-program.ts";
import { eventually } from "../kit/eventually.ts";
import { freePort } from "../kit/free-port.ts";
import { destination, LOOPBACK, portOf, workloadView } from "../kit/sidecar-fixture.ts";
import { sidecarGround } from "../kit/sidecar-ground.ts";
import { staticBootstrap } from "../kit/validated-resources.ts";

const ground = sidecarGround();
const folder = await mkdtemp(join(tmpdir(), "hauberk-captured-"));
const origin = {
  ref: { kind: "ServiceEntry", namespace: "production", name: "outside" },
  source: { file: "outside.yaml", line: 1 },
};
const envoys: ChildProcess[] = [];
let outboundPort: number;
/** By the names of pods. */
const podPorts = new Map<string, number>();

async function server(name: string, protocol: "http" | "tcp"): Promise<number> {
  return portOf(
    await ground.listening(
      protocol === "http"
        ? createServer((incoming, response) => response.end(`${name} ${incoming.headers.host}`))
        : createTcpServer((socket) => socket.on("error", () => {}).end(name)),
    ),
  );
}

async function service(
  name: string,
  protocol: PortProtocol,
  more: Partial<Destination>,
): Promise<Destination> {
  const port = await server(name, protocol === "tcp" ? "tcp" : "http");
  return { ...destination({ name, port, protocol, mutualTls: false }), ...more };
}

const outside = { origin, location: "MESH_EXTERNAL", resolution: "STATIC" } as const;

async function destinations(): Promise<readonly Destination[]> {
  const pods = await Promise.all(
    ["etcd-0", "etcd-1"].map(async (workload, index) => ({
      workload,
      address: { address: LOOPBACK, port: await server(workload, "http") },
      podAddresses: [`10.0.0.${index + 1}`],
      mutualTls: false,
    })),
  );
  for (const { workload, address } of pods) podPorts.set(workload, address.port);
  return [
    await service("web", "http", { addresses: ["10.96.0.1", "fd00::1"], servicePort: 8000 }),
    await service("api", "http", { addresses: ["10.96.0.2", "fd00::2"], servicePort: 8000 }),
    await service("database", "tcp", { addresses: ["10.96.0.3", "fd00::3"], servicePort: 5432 }),
    await service("guess", "auto", { addresses: ["10.96.0.4", "fd00::4"], servicePort: 9000 }),
    { ...destination({ name: "etcd", port: 1 }), headless: true, addresses: [], endpoints: pods },
    await service("told", "http", {
      ...{ host: "told.example.com", serviceName: "told.example.com" },
      ...{ servicePort: 8000, serviceEntry: outside },
    }),
    await service("answers-in-plaintext", "tcp", {
      ...{ host: "*.example.org", serviceName: "*.example.org" },
      ...{ servicePort: 443, serviceEntry: { ...outside, toldBySni: true } },
    }),
    await service("range", "tcp", {
      ...{ host: "range.example.net", serviceName: "range.example.net" },
      ...{ servicePort: 443, serviceEntry: { ...outside, ranges: ["192.0.2.0/24"] } },
    }),
  ];
}

before(async () => {
  const view: WorkloadView = {
    ...workloadView({ name: "frontend", rootsPem: [], destinations: await destinations() }),
    interception: {
      undeclaredPorts: { mutualTls: { mode: "PERMISSIVE", origin: "default" }, ports: [] },
      unknownDestinations: "REGISTRY_ONLY",
    },
  };
  outboundPort = await freePort();
  await startEnvoy(view, { inboundPort: await freePort(), outboundPort }, "virtualOutbound");
});

/** @param told the listener that learns from the PROXY protocol where connections were going */
async function startEnvoy(
  view: WorkloadView,
  capture: CapturePorts,
  told: "virtualInbound" | "virtualOutbound",
): Promise<void> {
  const program = findOrFetchEnvoy();
  const resources = envoyResources(view, { version: program.version, capture });
  const listeners = resources.listeners.map((one) =>
    one.name === told ? { ...one, listenerFilters: [PROXY_PROTOCOL] } : one,
  );
  const file = join(folder, `${told}.json`);
  await writeFile(file, JSON.stringify(staticBootstrap({ ...resources, listeners })));
  const envoy = spawn(
    program.path,
    ["-c", file, "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error"],
    { cwd: folder, stdio: ["ignore", "ignore", "inherit"] },
  );
  envoys.push(envoy);
  const port = told === "virtualInbound" ? capture.inboundPort : capture.outboundPort;
  await eventually("Envoy to listen", async () => {
    const socket = connect(port, LOOPBACK);
    const open = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    return open;
  });
}

after(async () => {
  for (const envoy of envoys) {
    if (envoy.exitCode !== null) continue;
    envoy.kill("SIGKILL");
    await once(envoy, "exit");
  }
  await rm(folder, { recursive: true });
});

const PROXY_PROTOCOL = {
  name: "envoy.filters.listener.proxy_protocol",
  typedConfig: {
    "@type":
      "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
  },
};

/** A connection of the application's, as the kernel would have led it away. */
async function captured(address: string, port: number, by = outboundPort): Promise<Socket> {
  const socket = connect(by, LOOPBACK);
  await once(socket, "connect");
  socket.on("error", () => {});
  const family = address.includes(":") ? "TCP6 fd01::5" : "TCP4 10.0.0.5";
  socket.write(`PROXY ${family} ${address} 40000 ${port}\r\n`);
  return socket;
}

async function everything(socket: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  try {
    for await (const chunk of socket) text += chunk;
  } catch {
    // Cut: what came, came.
  }
  return text;
}

async function ask(address: string, port: number, host: string, by?: number): Promise<string> {
  const socket = await captured(address, port, by);
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const answer = await everything(socket);
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  return `${head.split(" ")[1] ?? "closed"} ${body.replace(/^[0-9a-f]+\r\n|\r\n0$/g, "")}`.trim();
}

const NO_SERVICE =
  "this host and port are no service and port of the mesh, and nothing else can be reached from here (as with REGISTRY_ONLY): a ServiceEntry would make it known";

describe("requests", () => {
  const TABLE: readonly [address: string, port: number, host: string, answer: string][] = [
    ["10.96.0.1", 8000, "web", "200 web web"],
    ["10.96.0.1", 8000, "web.production:8000", "200 web web.production:8000"],
    ["fd00::1", 8000, "api", "200 api api"],
    ["10.96.0.1", 8000, "10.96.0.2:8000", "200 api 10.96.0.2:8000"],
    ["203.0.113.1", 8000, "told.example.com", "200 told told.example.com"],
    ["203.0.113.1", 8000, "else.example.com", `502 ${NO_SERVICE}`],
    ["10.96.0.4", 9000, "whoever", "200 guess whoever"],
    ["fd00::4", 9000, "whoever", "200 guess whoever"],
    ["203.0.113.1", 7777, "web", "closed"],
  ];
  for (const [address, port, host, answer] of TABLE) {
    test(`to ${address} port ${port} for ${host}: ${answer}`, async () => {
      assert.equal(await ask(address, port, host), answer);
    });
  }

  test("to a pod of a headless service go to that pod", async () => {
    for (const [address, workload] of [
      ["10.0.0.1", "etcd-0"],
      ["10.0.0.2", "etcd-1"],
    ] as const) {
      const port = podPorts.get(workload) ?? 0;
      for (const _ of [1, 2, 3])
        assert.equal(await ask(address, port, "etcd"), `200 ${workload} etcd`);
    }
  });
});

describe("bytes", () => {
  test("to a service's address, of either family", async () => {
    for (const address of ["10.96.0.3", "fd00::3"])
      assert.equal(await everything(await captured(address, 5432)), "database");
  });

  test("to a range of a ServiceEntry", async () => {
    assert.equal(await everything(await captured("192.0.2.9", 443)), "range");
  });

  /** Whoever answers speaks no TLS: that a connection came is all there is to be seen. */
  test("of TLS go by their server name", async () => {
    for (const [servername, reached] of [
      ["api.example.org", true],
      ["example.com", false],
    ] as const) {
      const socket = await captured("203.0.113.1", 443);
      const tls = connectTls({ socket, servername, rejectUnauthorized: false });
      const [error] = await once(tls, "error");
      assert.equal(
        /wrong version|packet length|record/i.test(String(error)),
        reached,
        String(error),
      );
    }
  });

  test("to an address that nobody knows are refused", async () => {
    assert.equal(await everything(await captured("203.0.113.1", 5432)), "");
  });
});

test("a gateway's ports are its own; at others nobody is let in without an identity", async () => {
  const inboundPort = await freePort();
  const undeclaredPorts = { mutualTls: { mode: "STRICT", origin: "default" }, ports: [] } as const;
  const web = await service("web", "http", {});
  const view: WorkloadView = {
    ...workloadView({ name: "front", rootsPem: [], destinations: [web] }),
    interception: { undeclaredPorts, unknownDestinations: "ALLOW_ANY" },
    gateway: {
      listeners: [
        {
          port: 80,
          containerPort: 8080,
          listen: { address: "10.0.0.7", port: 8080 },
          servers: [httpServer("shop.example.com", undefined)],
        },
      ],
    },
  };
  await startEnvoy(view, { inboundPort, outboundPort: await freePort() }, "virtualInbound");
  const host = "shop.example.com";
  for (const address of ["10.0.0.7", "fd00::7"])
    assert.equal(await ask(address, 8080, host, inboundPort), `200 web ${host}`);
  assert.equal(await ask("10.0.0.7", 8080, "else.example.com", inboundPort), "404");
  assert.equal(await ask("10.0.0.7", 9090, host, inboundPort), "closed");
});
