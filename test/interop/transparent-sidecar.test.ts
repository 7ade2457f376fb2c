/**
 * The sidecar behind real redirection: this file starts itself again in a network namespace of its own, which is the
 * pod; a second namespace, joined to it by a cable, is the rest of the world.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { createInterface, type Interface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { InboundPort, Interception, WorkloadView } from "../../src/policy/workload-view.ts";
import { type Sidecar, startSidecar } from "../../src/proxy/sidecar.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { connectFrom, originalDestination } from "../../src/runtime/linux-socket.ts";
import { WatchedValue } from "../../src/runtime/watched.ts";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import { eventually } from "../kit/eventually.ts";
import { recordedLog } from "../kit/recorded-log.ts";
import { destination, idOf, policy, workloadView } from "../kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../kit/throwaway-authority.ts";

const INSIDE = "HAUBERK_TEST_INSIDE_POD";
const MARK = 1337;
const POD = { ipv4: "10.244.0.5", ipv6: "fd00:10:244::5" };
const NEIGHBOUR = { ipv4: "10.244.0.9", ipv6: "fd00:10:244::9" };
const STRANGER = { ipv4: "198.51.100.7", ipv6: "2001:db8::7" };
const SERVICE = { ipv4: "10.96.0.7", ipv6: "fd00:10:96::7" };
const FAMILIES = ["ipv4", "ipv6"] as const;
const SYSTEM_PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

function unshareOptions(): string[] {
  return process.getuid?.() === 0 ? ["--net"] : ["--user", "--map-root-user", "--net"];
}

/** Why the test cannot run here; false when it can. */
function obstacle(): string | false {
  const probe = "ip link set lo up && nft list ruleset && test -e /proc/net/if_inet6";
  const { status, stderr, error } = spawnSync(
    "unshare",
    [...unshareOptions(), "sh", "-ec", probe],
    {
      env: { ...process.env, PATH: SYSTEM_PATH },
      encoding: "utf8",
    },
  );
  return status === 0 ? false : `no network namespace here: ${error?.message ?? stderr.trim()}`;
}

/**
 * Runs in the other namespace: greets whoever connects to 9000, knows no name, and connects where it is told to.
 */
const NEIGHBOUR_PROGRAM = `
  const net = require("node:net");
  net.createServer((socket) => {
    socket.on("error", () => {});
    socket.end("greetings to " + socket.remoteAddress);
  }).listen(9000, "::", () => console.log(JSON.stringify({ ready: true })));
  net.createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (query) => {
      query.writeUInt16BE(0x8183, 4);
      socket.write(query);
    });
  }).listen(53, "::");
  process.stdin.on("end", () => process.exit());
  require("node:readline").createInterface(process.stdin).on("line", (line) => {
    const { host, port, send } = JSON.parse(line);
    const socket = net.connect({ host, port });
    let text = "";
    socket.setTimeout(5000, () => socket.destroy(new Error("timeout")));
    socket.on("connect", () => socket.write(send));
    socket.on("data", (chunk) => { text += chunk; socket.end(); });
    socket.on("error", (error) => { text += "!" + error.message; });
    socket.on("close", () => console.log(JSON.stringify({ text })));
  });
`;

class Neighbour {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  constructor() {
    const child = spawn("unshare", ["--net", process.execPath, "-e", NEIGHBOUR_PROGRAM], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    assert.ok(child.stdout);
    this.#child = child;
    this.#lines = createInterface(child.stdout);
  }
  get processId(): number {
    return this.#child.pid ?? assert.fail("it did not start");
  }
  async started(): Promise<void> {
    await once(this.#lines, "line");
  }
  /** What comes back, "!" before an error. */
  async sends(host: string, { port, send }: { port: number; send: string }): Promise<string> {
    const answer = once(this.#lines, "line");
    this.#child.stdin?.write(`${JSON.stringify({ host, port, send })}\n`);
    const [line]: string[] = await answer;
    return JSON.parse(line ?? "").text;
  }
  end(): void {
    this.#child.kill();
  }
}

/** As a mesh with network namespaces sets a pod up. */
function connectTo(neighbour: number): void {
  const inNeighbour = (...command: string[]): void =>
    void execFileSync("nsenter", ["-t", String(neighbour), "-n", ...command]);
  const run = (script: string): void => void execFileSync("sh", ["-ec", script]);
  run(`
    ip link set lo up
    ip -6 addr add ::6/128 dev lo
    ip link add eth0 type veth peer name eth0 netns ${neighbour}
    ip addr add ${POD.ipv4}/16 dev eth0
    ip -6 addr add ${POD.ipv6}/64 dev eth0 nodad
    ip link set eth0 up
    ip route add default via ${NEIGHBOUR.ipv4}
  `);
  inNeighbour(
    "sh",
    "-ec",
    `
    ip link set lo up
    ip addr add ${NEIGHBOUR.ipv4}/16 dev eth0
    ip -6 addr add ${NEIGHBOUR.ipv6}/64 dev eth0 nodad
    ip addr add ${STRANGER.ipv4}/32 dev lo
    ip -6 addr add ${STRANGER.ipv6}/128 dev lo
    ip link set eth0 up
  `,
  );
  run(`ip -6 route add default via ${NEIGHBOUR.ipv6}`);
  execFileSync("nft", ["-f", "-"], {
    input: `
      table inet hauberk {
        chain inbound {
          type nat hook prerouting priority dstnat;
          iifname eth0 meta l4proto tcp tcp dport != { 15020, 15021, 15090 } redirect to :15006
        }
        chain outbound {
          type nat hook output priority -100;
          meta mark ${MARK} oifname lo ip daddr ${POD.ipv4} ip saddr != 127.0.0.6 meta l4proto tcp redirect to :15006
          meta mark ${MARK} oifname lo ip6 daddr ${POD.ipv6} ip6 saddr != ::6 meta l4proto tcp redirect to :15006
          meta mark ${MARK} return
          oifname lo return
          udp dport 53 redirect to :15053
          tcp dport 53 redirect to :15053
          meta l4proto tcp redirect to :15001
        }
      }`,
  });
}

function insideThePod(): void {
  const mesh = createThrowawayAuthority();
  const log = recordedLog();
  const entries: AccessLogEntry[] = [];
  const servers: Server[] = [];
  let neighbour: Neighbour;
  let sidecar: Sidecar;
  const views = new WatchedValue<WorkloadView | undefined>(view());

  function view(
    unknownDestinations: Interception["unknownDestinations"] = "ALLOW_ANY",
  ): WorkloadView {
    const declared = (
      containerPort: number,
      mode: "STRICT" | "PERMISSIVE",
      protocol: "http" | "tcp",
    ): InboundPort => {
      const at = { address: POD.ipv4, port: containerPort };
      const mutualTls = { mode, origin: "default" } as const;
      return { containerPort, protocol, mutualTls, listen: at, application: at };
    };
    const web = destination({ name: "api", port: 8080 });
    const headless = destination({ name: "store", port: 9000, protocol: "tcp", mutualTls: false });
    return {
      ...workloadView({
        rootsPem: [mesh.rootPem],
        ports: [declared(8080, "STRICT", "http"), declared(8081, "PERMISSIVE", "tcp")],
        policies: [
          policy("ALLOW", "ports", {
            to: [{ ports: ["8080", "8081", "7070", "7071"] }],
          }),
        ],
        destinations: [
          {
            ...web,
            servicePort: 80,
            addresses: [SERVICE.ipv4, SERVICE.ipv6],
            endpoints: web.endpoints.map((endpoint) => ({
              ...endpoint,
              address: { address: POD.ipv4, port: 8080 },
              podAddresses: [POD.ipv4, POD.ipv6],
            })),
          },
          {
            ...headless,
            headless: true,
            addresses: [],
            endpoints: headless.endpoints.map((endpoint) => ({
              ...endpoint,
              address: { address: NEIGHBOUR.ipv4, port: 9000 },
              podAddresses: [NEIGHBOUR.ipv4, NEIGHBOUR.ipv6],
            })),
          },
        ],
      }),
      interception: {
        unknownDestinations,
        undeclaredPorts: {
          mutualTls: { mode: "PERMISSIVE", origin: "default" },
          ports: [{ containerPort: 7071, mutualTls: { mode: "STRICT", origin: "default" } }],
        },
      },
    };
  }

  async function serve(port: number, host: string): Promise<void> {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", () => socket.end(`${port} sees ${socket.remoteAddress}`));
    });
    await listen(server, { port, host });
  }

  async function listen(server: Server, at: { port: number; host: string }): Promise<void> {
    servers.push(server);
    await once(server.listen(at), "listening");
  }

  const entry = (matches: (entry: AccessLogEntry) => boolean): Promise<AccessLogEntry> =>
    eventually(
      () => `an entry among ${JSON.stringify(entries)}`,
      () => entries.find(matches),
    );

  before(async () => {
    neighbour = new Neighbour();
    await neighbour.started();
    connectTo(neighbour.processId);
    const web = createHttpServer((incoming, response) => {
      const { host, "x-forwarded-client-cert": caller } = incoming.headers;
      const from = incoming.socket.remoteAddress;
      response.end(JSON.stringify({ host, caller, from }));
    });
    await listen(web, { port: 8080, host: "::" });
    for (const port of [8081, 7070, 7071, 7072]) await serve(port, "::");
    await serve(7073, "0.0.0.0");
    sidecar = await startSidecar({
      namespace: "production",
      name: "api-0",
      adminPort: 15_000,
      proxyPassword: "unused",
      capture: {
        outboundPort: 15_001,
        inboundPort: 15_006,
        dnsPort: 15_053,
        podAddresses: POD,
        dnsUpstream: { address: NEIGHBOUR.ipv4, port: 53 },
        mark: MARK,
      },
      svid: new WatchedValue(mesh.svid(idOf("api"))),
      views,
      applicationProcessIds: new WatchedValue<readonly number[]>([]),
      accessLog: (line) => entries.push(JSON.parse(String(line))),
      log,
      clock: systemClock,
      random: () => 0,
    });
  });

  after(async () => {
    await sidecar?.close();
    neighbour?.end();
    for (const server of servers) server.close();
  });

  for (const family of FAMILIES) {
    test(`${family}: a service is called by its address, by mutual TLS, and keeps its Host`, async () => {
      entries.length = 0;
      const answer = await exchange(SERVICE[family], {
        port: 80,
        send: "GET /a HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n",
      });
      assert.match(answer, /^HTTP\/1\.1 200 /);
      assert.match(answer, /"host":"shop\.example"/);
      assert.match(answer, /"caller":"By=spiffe:/);
      assert.match(answer, /"from":"::ffff:127\.0\.0\.6"/);
      const out = await entry(({ reporter }) => reporter === "source");
      assert.equal(out.upstream_cluster, "outbound|80||api.production.svc.cluster.local");
      assert.equal(out.downstream_local_address, at(SERVICE[family], 80));
      assert.equal(out.destination_principal, idOf("api"));
      const into = await entry(({ reporter }) => reporter === "destination");
      assert.equal(into.downstream_local_address, at(POD.ipv4, 8080));
      assert.equal(into.source_principal, idOf("api"));
      assert.equal(into.decision?.reason.because, "matched-allow");
    });

    test(`${family}: a headless service is called by the address of its pod`, async () => {
      entries.length = 0;
      assert.match(await exchange(NEIGHBOUR[family], { port: 9000, send: "x" }), /^greetings to /);
      const out = await entry(({ reporter }) => reporter === "source");
      assert.equal(out.upstream_cluster, "outbound|8080||store.production.svc.cluster.local");
      assert.equal(out.upstream_host, at(NEIGHBOUR.ipv4, 9000));
    });

    test(`${family}: what nobody knows is passed through, from the pod's own address`, async () => {
      entries.length = 0;
      const answer = await exchange(STRANGER[family], { port: 9000, send: "x" });
      assert.ok(answer.endsWith(POD[family]), answer);
      const out = await entry(({ reporter }) => reporter === "source");
      assert.equal(out.upstream_cluster, "PassthroughCluster");
      assert.equal(out.upstream_host, at(STRANGER[family], 9000));
      assert.equal(out.decision, null);
    });

    test(`${family}: REGISTRY_ONLY lets nothing out that nobody knows`, async () => {
      entries.length = 0;
      views.set(view("REGISTRY_ONLY"));
      assert.equal(await exchange(STRANGER[family], { port: 9000, send: "\x01\x02" }), "");
      const tcp = await entry(({ protocol }) => protocol === "TCP");
      const http = await exchange(STRANGER[family], {
        port: 9000,
        send: "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
      });
      assert.match(http, /^HTTP\/1\.1 502 /);
      const request = await entry(({ protocol }) => protocol === "HTTP/1.1");
      for (const one of [tcp, request]) {
        assert.equal(one.upstream_cluster, "BlackHoleCluster");
        assert.equal(one.decision?.reason.because, "unknown-destination");
        assert.equal(one.upstream_host, null);
      }
      assert.match(
        await exchange(SERVICE[family], { port: 80, send: "GET / HTTP/1.0\r\nHost: api\r\n\r\n" }),
        / 200 /,
      );
      views.set(view());
    });

    test(`${family}: what is marked is not led back`, async () => {
      entries.length = 0;
      const to = { address: STRANGER[family], port: 9000 };
      assert.match(await textOf(connectFrom(to, { mark: MARK })), /^greetings to /);
      assert.deepEqual(entries, []);
    });

    test(`INJ-28 ${family}: a declared port is served, the application sees a source of ours`, async () => {
      entries.length = 0;
      const answer = await neighbour.sends(POD[family], { port: 8081, send: "\x01" });
      assert.equal(answer, `8081 sees ${family === "ipv6" ? "::6" : "::ffff:127.0.0.6"}`);
      const into = await entry(({ reporter }) => reporter === "destination");
      assert.equal(into.upstream_cluster, "inbound|8081||");
      assert.equal(into.downstream_local_address, at(POD[family], 8081));
      assert.ok(into.downstream_remote_address?.startsWith(at(NEIGHBOUR[family], 0).slice(0, -1)));
    });

    test(`PA-18 ${family}: a port that nobody declared is served by the workload's mode`, async () => {
      entries.length = 0;
      assert.match(await neighbour.sends(POD[family], { port: 7070, send: "\x01" }), /^7070 sees/);
      const into = await entry(({ reporter }) => reporter === "destination");
      assert.equal(into.upstream_cluster, "InboundPassthroughCluster");
      assert.equal(into.decision?.verdict, "allow");
    });

    test(`PA-17 ${family}: a mode for a port that nobody declared is enforced`, async () => {
      entries.length = 0;
      const answer = await neighbour.sends(POD[family], { port: 7071, send: "\x01" });
      assert.doesNotMatch(answer, /sees/);
      const into = await entry(({ reporter }) => reporter === "destination");
      assert.equal(into.decision?.reason.because, "plaintext-refused");
    });

    test(`QK-78 ${family}: a policy judges the port that was called`, async () => {
      entries.length = 0;
      const answer = await neighbour.sends(POD[family], { port: 7072, send: "\x01" });
      assert.doesNotMatch(answer, /sees/);
      const into = await entry(({ reporter }) => reporter === "destination");
      assert.equal(into.decision?.reason.because, "no-allow-matched");
    });

    for (const port of [15_000, 15_001, 15_006, 15_053]) {
      test(`PA-40 ${family}: ${port} is closed to others`, async () => {
        entries.length = 0;
        const answer = await neighbour.sends(POD[family], { port, send: "GET / HTTP/1.0\r\n\r\n" });
        assert.match(answer, /^(!.*|)$/);
        assert.deepEqual(entries, []);
      });
    }

    for (const port of [15_001, 15_006]) {
      test(`${family}: the application gets nothing from ${port} itself`, async () => {
        entries.length = 0;
        const host = family === "ipv4" ? "127.0.0.1" : "::1";
        assert.equal(await exchange(host, { port, send: "GET / HTTP/1.0\r\n\r\n" }), "");
        assert.deepEqual(entries, []);
        await eventually("a line of the log", () => log.find("intercepted connection cut")[0]);
      });
    }

    test(`${family}: names of services are answered, wherever they are asked`, async () => {
      const resolver = new Resolver({ timeout: 2_000, tries: 1 });
      resolver.setServers([at(STRANGER[family], 53)]);
      const name = "api.production.svc.cluster.local";
      assert.deepEqual(await resolver.resolve4(name), [SERVICE.ipv4]);
      assert.deepEqual(await resolver.resolve6(name), [SERVICE.ipv6]);
      const foreign = resolver.resolve4("somewhere.example");
      await assert.rejects(foreign, { code: "ENOTFOUND" }, "the upstream server says so");
    });
  }

  test("a caller over IPv6 reaches an application that knows IPv4 only", async () => {
    const allowed = view();
    const ports = allowed.inbound.authorization.allow;
    assert.ok(ports.length > 0);
    views.set({
      ...allowed,
      inbound: {
        ...allowed.inbound,
        authorization: { custom: [], audit: [], deny: [], allow: [] },
      },
    });
    const answer = await neighbour.sends(POD.ipv6, { port: 7073, send: "\x01" });
    assert.equal(answer, "7073 sees 127.0.0.6");
    views.set(view());
  });

  test("a connection that was not redirected names its own end", async () => {
    const server = createServer();
    await listen(server, { port: 7080, host: "127.0.0.1" });
    const accepted = once(server, "connection");
    const client = connect(7080, "127.0.0.1");
    const [socket]: Socket[] = await accepted;
    assert.ok(socket);
    assert.deepEqual(originalDestination(socket), { address: "127.0.0.1", port: 7080 });
    socket.destroy();
    client.destroy();
  });
}

function at(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function exchange(host: string, { port, send }: { port: number; send: string }): Promise<string> {
  const socket = connect({ host, port });
  socket.write(send);
  return textOf(socket);
}

/** All that comes until the other end closes, or cuts the connection. */
function textOf(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.on("end", () => socket.end());
  socket.on("error", () => socket.destroy());
  return new Promise((resolve) => socket.once("close", () => resolve(text)));
}

if (process.env[INSIDE] === undefined) {
  test("a sidecar behind redirection, in a network namespace", { skip: obstacle() }, () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const command = [process.execPath, "--import", "tsx", fileURLToPath(import.meta.url)];
    const { status, stdout, stderr } = spawnSync("unshare", [...unshareOptions(), ...command], {
      env: { ...env, [INSIDE]: "1", PATH: SYSTEM_PATH },
      encoding: "utf8",
      timeout: 120_000,
    });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    const passed = /^(?:#|ℹ) pass (\d+)$/m.exec(stdout)?.[1];
    assert.ok(Number(passed) >= 25, `too few tests ran:\n${stdout}`);
  });
} else {
  insideThePod();
}
