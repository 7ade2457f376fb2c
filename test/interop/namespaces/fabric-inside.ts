/** Real pods on a real bridge: what the kernel lets through, and what it does not. Started by `fabric.test.ts`. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chownSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { DEFAULT_INTERCEPTION } from "../../../src/api/interception-settings.ts";
import { AddressAllocator } from "../../../src/local/network/address-allocator.ts";
import { applicationProcesses } from "../../../src/local/network/application-processes.ts";
import { encloseContainer, encloseSidecar } from "../../../src/local/network/enclosure.ts";
import { FabricError } from "../../../src/local/network/fabric-error.ts";
import { hostFiles } from "../../../src/local/network/host-files.ts";
import type { MeshUser } from "../../../src/local/network/host-side.ts";
import { MeshFabric } from "../../../src/local/network/mesh-fabric.ts";
import {
  APPLICATION_UID,
  ROUTER_ADDRESSES,
  SIDECAR_MARK,
  SIDECAR_UID,
} from "../../../src/local/network/mesh-ranges.ts";
import { connectInside } from "../../../src/local/network/network-namespace-socket.ts";
import { type PodRulesInput, podRules } from "../../../src/local/network/pod-rules.ts";
import { systemProgram } from "../../../src/local/network/system-programs.ts";
import type { NetworkAllowance } from "../../../src/policy/pod-network-rules.ts";
import { silentLog } from "../../../src/runtime/log.ts";
import { Agent, PodFixture } from "./pod-fixture.ts";

const user: MeshUser = process.env["MESH_USER"] === "root" ? "root" : "ordinary";
const data = process.env["MESH_DATA"] ?? "";
const ROUTER = ROUTER_ADDRESSES.ipv4;
const ADMIN_PORT = 15_000;
const SERVICE = { ipv4: "10.96.0.2", ipv6: "fd00:10:96::2" };

let fabric: MeshFabric;
let router: Agent;
/** `caller` and `other` call, `callee` and `second` are called. */
let caller: PodFixture;
let other: PodFixture;
let callee: PodFixture;
let second: PodFixture;
const families = ["ipv4", "ipv6"] as const;

function rulesFor(pod: PodFixture, input: Partial<PodRulesInput> = {}): string {
  return podRules({
    sidecar: "absent",
    interception: DEFAULT_INTERCEPTION,
    exemption:
      user === "root" ? { by: "uid", uid: SIDECAR_UID } : { by: "mark", mark: SIDECAR_MARK },
    addresses: pod.network.addresses,
    controlPlane: { address: ROUTER, port: 15_012 },
    adminPort: ADMIN_PORT,
    services: [],
    networkRules: { ingress: "open", egress: "open" },
    ...input,
  });
}

const give = (pod: PodFixture, input: Partial<PodRulesInput> = {}): Promise<void> =>
  pod.network.apply(rulesFor(pod, input));

function allowance(rule: Omit<NetworkAllowance, "policy">): NetworkAllowance {
  return { policy: { kind: "NetworkPolicy", namespace: "test", name: "rule" }, ...rule };
}

before(async () => {
  fabric = await MeshFabric.open({ dataDirectory: data, log: silentLog });
  const allocator = new AddressAllocator();
  const since = performance.now();
  const names = ["test/caller", "test/other", "test/callee", "test/second"];
  const networks = await Promise.all(
    names.map((name) => fabric.createPod(name, allocator.podAddresses(name))),
  );
  const tookMs = performance.now() - since;
  console.log(`figure: ${names.length} pods made side by side in ${tookMs.toFixed(0)} ms`);
  [caller, other, callee, second] = networks.map((network) => new PodFixture(network, user)) as [
    PodFixture,
    PodFixture,
    PodFixture,
    PodFixture,
  ];
  router = new Agent([]);
  await Promise.all([
    callee.application.listen(8080, 9090, 15_006, 15_021),
    callee.application.tell({ order: "listen-udp", address: "::", port: 5353 }),
    second.application.listen(8080),
    caller.application.listen(ADMIN_PORT, 15_001, 15_006, 15_053, 7070),
    caller.application.tell({ order: "listen-udp", address: "127.0.0.1", port: 15_053 }),
    router.listen(53, 15_002, 15_012, 9999),
    router.tell({ order: "listen-udp", address: "::", port: 53 }),
  ]);
});

after(async () => {
  for (const one of [router, caller, other, callee, second]) one.close();
  await fabric.close();
});

/** Every test starts from pods without sidecar and without policies. */
async function open(): Promise<void> {
  await Promise.all([caller, other, callee, second].map((pod) => give(pod)));
}

test("a pod is made in well under a second", async () => {
  const since = performance.now();
  const pod = await fabric.createPod("test/short", {
    ipv4: "10.244.9.9",
    ipv6: "fd00:10:244::909",
  });
  const madeMs = performance.now() - since;
  await pod.destroy();
  console.log(`figure: one pod made in ${madeMs.toFixed(0)} ms`);
  assert.ok(madeMs < 1_000);
  assert.equal(readdirSync(join(data, "network")).includes("pod9-9"), false);
  await assert.rejects(pod.apply("table inet hauberk {}"), FabricError);
});

test("an address has one pod at a time, and a successor waits for the end of the one before", async () => {
  const addresses = { ipv4: "10.244.9.8", ipv6: "fd00:10:244::908" };
  const first = await fabric.createPod("test/first", addresses);
  await assert.rejects(fabric.createPod("test/thief", addresses), /is the address of .*first/);
  await first.apply("table inet hauberk {}");
  const ending = first.destroy();
  const successor = await fabric.createPod("test/first", addresses);
  await ending;
  await successor.apply("table inet hauberk {}");
  await successor.destroy();
});

for (const family of families) {
  test(`pods see each other's own addresses, over ${family}`, async () => {
    await open();
    const { [family]: to } = callee.network.addresses;
    const { [family]: from } = caller.network.addresses;
    const seen = await caller.application.call(to, 8080);
    assert.match(seen, new RegExp(`^8080 sees (::ffff:)?${from}$`));
  });

  test(`INJ-22, INJ-24 inbound connections are led to the sidecar, but for ports that are excluded, over ${family}`, async () => {
    await open();
    const { [family]: to } = callee.network.addresses;
    const { [family]: from } = caller.network.addresses;
    const led = new RegExp(`^15006 sees (::ffff:)?${from}$`);
    await give(callee, { sidecar: "present" });
    for (const port of [8080, 15_021]) assert.match(await caller.application.call(to, port), led);
    const excludedInboundPorts = [8080, 15_021];
    const interception = { ...DEFAULT_INTERCEPTION, excludedInboundPorts };
    await give(callee, { sidecar: "present", interception });
    assert.match(await caller.application.call(to, 8080), /^8080 sees/);
    assert.match(
      await caller.application.call(to, 15_021),
      led,
      "nothing of the mesh listens there",
    );
  });

  test(`outbound connections are led to the sidecar, but for its own, over ${family}`, async () => {
    await open();
    await give(caller, { sidecar: "present" });
    const { [family]: to } = callee.network.addresses;
    assert.match(await caller.application.call(to, 8080), /^15001 sees/);
    assert.match(await caller.sidecar.call(to, 8080), /^8080 sees/);
  });

  test(`a service's address leads to each of its endpoints, over ${family}`, async () => {
    await open();
    const endpoints = [callee, second].map(({ network }) => ({
      address: network.addresses[family],
      port: 8080,
    }));
    await give(caller, { services: [{ addresses: [SERVICE[family]], port: 80, endpoints }] });
    const calls = Array.from({ length: 20 }, () => caller.application.call(SERVICE[family], 80));
    for (const answer of await Promise.all(calls)) assert.match(answer, /^8080 sees/);
    await second.network.apply(rulesFor(second, { networkRules: { ingress: [], egress: "open" } }));
    const now = await Promise.all(calls.map(() => caller.application.call(SERVICE[family], 80)));
    assert.ok(now.includes("ECONNREFUSED") && now.some((one) => one.startsWith("8080")), `${now}`);
  });

  test(`a service without endpoints, and one that is none, refuse at once, over ${family}`, async () => {
    await open();
    await give(caller, { services: [{ addresses: [SERVICE[family]], port: 80, endpoints: [] }] });
    assert.equal(await caller.application.call(SERVICE[family], 80), "ECONNREFUSED");
    assert.equal(await caller.application.call(SERVICE[family], 81), "ECONNREFUSED");
  });

  test(`NetworkPolicy: who may not come in is refused at once, over ${family}`, async () => {
    await open();
    const peers = [{ address: other.network.addresses[family] }];
    const ports = [{ protocol: "TCP", from: 8080, to: 8081 }] as const;
    await give(callee, {
      networkRules: { ingress: [allowance({ peers, ports })], egress: "open" },
    });
    const { [family]: to } = callee.network.addresses;
    assert.match(await other.application.call(to, 8080), /^8080 sees/);
    assert.equal(await other.application.call(to, 9090), "ECONNREFUSED");
    assert.equal(await caller.application.call(to, 8080), "ECONNREFUSED");
    assert.match(await callee.application.call(to, 9090), /^9090 sees/, "itself");
  });

  test(`NetworkPolicy: inbound is judged by the port that was called, sidecar or none, over ${family}`, async () => {
    await open();
    const ports = [{ protocol: "TCP", from: 8080, to: 8080 }] as const;
    const networkRules = {
      ingress: [allowance({ peers: "anyone", ports })],
      egress: "open",
    } as const;
    await give(callee, { sidecar: "present", networkRules });
    const { [family]: to } = callee.network.addresses;
    assert.match(await caller.application.call(to, 8080), /^15006 sees/);
    assert.equal(await caller.application.call(to, 9090), "ECONNREFUSED");
    assert.equal(await caller.application.call(to, 15_006), "ECONNREFUSED");
  });

  test(`NetworkPolicy: UDP is judged like TCP, over ${family}`, async () => {
    await open();
    const { [family]: to } = callee.network.addresses;
    assert.match(await caller.application.ask(to, 5353), /^5353 sees/);
    const ports = [{ protocol: "UDP", from: 5353, to: 5353 }] as const;
    const peers = [{ address: other.network.addresses[family] }];
    await give(callee, {
      networkRules: { ingress: [allowance({ peers, ports })], egress: "open" },
    });
    assert.match(await other.application.ask(to, 5353), /^5353 sees/);
    assert.notEqual((await caller.application.ask(to, 5353)).slice(0, 4), "5353");
  });

  test(`NetworkPolicy: outbound is judged by where it really goes, over ${family}`, async () => {
    await open();
    const peers = [{ address: callee.network.addresses[family] }];
    const endpoints = [callee, second].map(({ network }) => ({
      address: network.addresses[family],
      port: 8080,
    }));
    await give(caller, {
      services: [{ addresses: [SERVICE[family]], port: 80, endpoints }],
      networkRules: { ingress: "open", egress: [allowance({ peers, ports: "all" })] },
    });
    assert.match(await caller.application.call(callee.network.addresses[family], 9090), /^9090/);
    assert.equal(
      await caller.application.call(second.network.addresses[family], 8080),
      "ECONNREFUSED",
    );
    const drawn = await Promise.all(
      Array.from({ length: 20 }, () => caller.application.call(SERVICE[family], 80)),
    );
    assert.ok(drawn.includes("ECONNREFUSED"), "the endpoint that is not allowed");
    assert.ok(
      drawn.some((one) => one.startsWith("8080")),
      "the one that is",
    );
  });

  test(`nothing of the router but its three ports is open to pods, over ${family}`, async () => {
    await open();
    const { [family]: to } = ROUTER_ADDRESSES;
    assert.match(await caller.application.call(to, 15_012), /^15012 sees/);
    assert.match(await caller.application.call(to, 53), /^53 sees/);
    assert.match(await caller.application.ask(to, 53), /^53 sees/);
    for (const port of [15_002, 9999]) {
      assert.equal(await caller.application.call(to, port), "ECONNREFUSED", `port ${port}`);
    }
  });
}

test("the address of the mesh's names is led to the sidecar, over UDP and TCP", async () => {
  await open();
  await give(caller, { sidecar: "present" });
  assert.match(await caller.application.ask(ROUTER, 53), /^15053 sees/);
  assert.match(await caller.application.call(ROUTER, 53), /^15053 sees/);
  assert.match(await caller.sidecar.call(ROUTER, 53), /^53 sees/);
});

test("the control plane is reached past the sidecar", async () => {
  await open();
  await give(caller, { sidecar: "present" });
  assert.match(await caller.application.call(ROUTER, 15_012), /^15012 sees/);
});

test("INJ-28 loopback is left alone, and the pod's calls to itself pass its inbound side", async () => {
  await open();
  await give(caller, { sidecar: "present" });
  const { ipv4, ipv6 } = caller.network.addresses;
  assert.match(await caller.application.call("127.0.0.1", 7070), /^7070 sees/);
  assert.match(await caller.application.call(ipv4, 7070), /^7070 sees/);
  assert.match(await caller.sidecar.call(ipv4, 7070), /^15006 sees/);
  assert.match(await caller.sidecar.call(ipv6, 7070), /^15006 sees/);
  assert.match(await caller.sidecar.call(ipv4, 7070, "127.0.0.6"), /^7070 sees .*127\.0\.0\.6$/);
  assert.equal(await caller.sidecar.call(ipv6, 7070, "::6"), "7070 sees ::6");
});

test("the sidecar's administration is closed to the application, and open to the supervisor", async () => {
  await open();
  await give(caller, { sidecar: "present" });
  assert.equal(await caller.application.call("127.0.0.1", ADMIN_PORT), "ECONNREFUSED");
  assert.equal(await caller.application.call("::1", ADMIN_PORT), "ECONNREFUSED");
  assert.match(await insideAnswer(ADMIN_PORT, SIDECAR_MARK), /^15000 sees/);
  assert.equal(await insideAnswer(ADMIN_PORT), "ECONNREFUSED");
});

test("a socket made in a pod's network stays there, and this thread comes back", async () => {
  await open();
  const home = readlinkSync("/proc/thread-self/ns/net");
  const openBefore = readdirSync("/proc/self/fd").length;
  assert.match(await insideAnswer(7070), /^7070 sees/);
  for (let count = 0; count < 50; count++) {
    assert.throws(() => connectInside(join(data, "none"), { address: "127.0.0.1", port: 1 }), {
      code: "HAUBERK_FABRIC",
    });
  }
  assert.throws(() => connectInside("/proc/self/ns/uts", { address: "127.0.0.1", port: 1 }), {
    code: "HAUBERK_FABRIC",
  });
  assert.equal(readlinkSync("/proc/thread-self/ns/net"), home);
  assert.ok(readdirSync("/proc/self/fd").length <= openBefore + 1);
});

function insideAnswer(port: number, mark?: number): Promise<string> {
  const { path } = caller.network;
  const socket = connectInside(
    path,
    { address: "127.0.0.1", port },
    mark === undefined ? {} : { mark },
  );
  return new Promise((resolve) => {
    socket.once("data", (text) => {
      resolve(String(text));
      socket.destroy();
    });
    socket.once("error", (error) => resolve("code" in error ? String(error.code) : error.message));
  });
}

test("what goes elsewhere is led to the gateway, and what is no TCP is refused", async () => {
  await open();
  assert.match(await caller.application.call("192.0.2.1", 443), /^15002 sees/);
  assert.match(await caller.application.call("2001:db8::1", 443), /^15002 sees/);
  assert.match(await caller.application.call("169.254.169.254", 80), /^15002 sees/);
  assert.match(await caller.application.ask("192.0.2.1", 443), /^E/);
  assert.match(await caller.application.ask("2001:db8::1", 443), /^E/);
});

test("NetworkPolicy: a pod shut off has its names, its control plane and its loopback", async () => {
  await open();
  await give(caller, { sidecar: "present", networkRules: { ingress: [], egress: [] } });
  assert.match(await caller.application.call(ROUTER, 15_012), /^15012 sees/);
  assert.match(await caller.sidecar.call(ROUTER, 53), /^53 sees/);
  assert.match(await caller.application.call("127.0.0.1", 7070), /^7070 sees/);
  assert.match(await caller.application.call(callee.network.addresses.ipv4, 8080), /^15001 sees/);
  assert.equal(await caller.sidecar.call(callee.network.addresses.ipv4, 8080), "ECONNREFUSED");
  assert.equal(await caller.sidecar.call("192.0.2.1", 443), "ECONNREFUSED");
});

test("NetworkPolicy: a block less what is carved out of it", async () => {
  await open();
  const peers = [{ cidr: "10.244.0.0/16", except: [`${caller.network.addresses.ipv4}/32`] }];
  const ingress = [allowance({ peers, ports: "all" })];
  await give(callee, { networkRules: { ingress, egress: "open" } });
  const { ipv4 } = callee.network.addresses;
  assert.match(await other.application.call(ipv4, 8080), /^8080 sees/);
  assert.equal(await caller.application.call(ipv4, 8080), "ECONNREFUSED");
});

test("NetworkPolicy: one that comes later ends what stands", async () => {
  await open();
  const { ipv4: address } = callee.network.addresses;
  const kept = await other.application.tell({ order: "keep", address, port: 8080 });
  assert.match(kept, /^8080 sees/);
  assert.match(await other.application.tell({ order: "say" }), /^8080 sees/);
  await give(callee, { networkRules: { ingress: [], egress: "open" } });
  assert.match(await other.application.tell({ order: "say" }), /ECONNRESET|closed|EPIPE/);
});

test("connections that are led to the sidecar outlive new rules", async () => {
  await open();
  await give(callee, { sidecar: "present" });
  const { ipv4: address } = callee.network.addresses;
  assert.match(await other.application.tell({ order: "keep", address, port: 8080 }), /^15006/);
  for (const port of [70, 71, 72]) {
    await give(callee, {
      sidecar: "present",
      services: [{ addresses: [SERVICE.ipv4], port, endpoints: [{ address, port: 8080 }] }],
    });
    assert.match(await other.application.tell({ order: "say" }), /^15006/, `change ${port}`);
  }
});

test("rules that the kernel refuses leave the earlier ones in force", async () => {
  await open();
  await give(callee, { networkRules: { ingress: [], egress: "open" } });
  await assert.rejects(callee.network.apply("table inet hauberk { nonsense }"), (error) => {
    assert.ok(error instanceof FabricError);
    assert.match(error.message, /syntax error/);
    return true;
  });
  const { ipv4 } = callee.network.addresses;
  assert.equal(await caller.application.call(ipv4, 8080), "ECONNREFUSED");
  await open();
  assert.match(await caller.application.call(ipv4, 8080), /^8080 sees/);
});

const port = fc.integer({ min: 1, max: 65_535 });
const ports = fc.array(port, { maxLength: 4 });
const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));
const ipv6 = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16)).join(":"));
const cidr = fc
  .oneof(
    fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })),
    fc.tuple(ipv6, fc.integer({ min: 0, max: 128 })),
  )
  .map(([address, length]) => `${address}/${length}`);
const range = fc
  .tuple(fc.constantFrom("TCP", "UDP", "SCTP"), port, port)
  .map(
    ([protocol, from, to]) =>
      ({ protocol, from: Math.min(from, to), to: Math.max(from, to) }) as const,
  );
const somePorts = fc.oneof(fc.constant("all" as const), fc.array(range, { maxLength: 5 }));
const peer = fc.oneof(
  fc.oneof(ipv4, ipv6).map((address) => ({ address })),
  fc.record({ address: ipv4, ports: fc.array(range, { maxLength: 2 }) }),
  fc.record({ cidr, except: fc.array(cidr, { maxLength: 3 }) }),
);
const direction = fc.oneof(
  fc.constant("open" as const),
  fc.array(
    fc
      .record({
        peers: fc.oneof(fc.constant("anyone" as const), fc.array(peer, { maxLength: 5 })),
        ports: somePorts,
      })
      .map(allowance),
    { maxLength: 4 },
  ),
);
const anyInput = fc.record({
  sidecar: fc.constantFrom("present" as const, "absent" as const),
  interception: fc.record({
    mode: fc.constantFrom("REDIRECT" as const, "NONE" as const),
    inboundPorts: fc.oneof(fc.constant("all" as const), ports),
    excludedInboundPorts: ports,
    includedOutboundPorts: ports,
    excludedOutboundPorts: ports,
    outboundRanges: fc.oneof(fc.constant("all" as const), fc.array(cidr, { maxLength: 3 })),
    excludedOutboundRanges: fc.array(cidr, { maxLength: 3 }),
  }),
  services: fc.array(
    fc.record({
      addresses: fc.array(fc.oneof(ipv4, ipv6), { maxLength: 2 }),
      port,
      protocol: fc.constantFrom("TCP" as const, "UDP" as const),
      endpoints: fc.array(fc.record({ address: fc.oneof(ipv4, ipv6), port }), { maxLength: 3 }),
    }),
    { maxLength: 5 },
  ),
  networkRules: fc.record({ ingress: direction, egress: direction }),
});

test("the kernel's own parser takes whatever rules we write", () => {
  const parse = (text: string): void => {
    const enter = ["nsenter", `--net=${second.network.path}`, systemProgram("nft")];
    const [program = "", ...parameters] = [...enter, "--check", "--file", "-"];
    const { status, stderr } = spawnSync(program, parameters, { input: text, encoding: "utf8" });
    assert.equal(status, 0, `${stderr}\n${text}`);
  };
  fc.assert(
    fc.property(anyInput, (input) => parse(rulesFor(second, input))),
    { numRuns: 60 },
  );
});

/** Runs in a container's enclosure and tells what it finds. */
const LOOK_AROUND = `
const fs = require("node:fs");
const { spawnSync } = require("node:child_process");
const attempt = (work) => { try { return String(work() ?? "done"); } catch (error) { return error.code; } };
const run = (...words) => spawnSync(words[0], words.slice(1)).status;
const [data, home] = process.argv.slice(1);
const status = fs.readFileSync("/proc/self/status", "utf8");
const field = (name) => new RegExp("^" + name + ":\\\\s*(.*)$", "m").exec(status)?.[1];
console.log(JSON.stringify({
  uid: process.getuid(),
  capabilities: [field("CapInh"), field("CapPrm"), field("CapEff"), field("CapBnd"), field("CapAmb")],
  noNewPrivileges: field("NoNewPrivs"),
  hostname: require("node:os").hostname(),
  processes: fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).length,
  data: attempt(() => fs.readdirSync(data).length),
  home: attempt(() => fs.readdirSync(home).length),
  root: attempt(() => fs.writeFileSync("/x", "")),
  etc: attempt(() => fs.writeFileSync("/etc/x", "")),
  usr: attempt(() => fs.writeFileSync("/usr/x", "")),
  scratch: ["/tmp", "/run", "/var/tmp", "/dev/shm", home].map((folder) => attempt(() => fs.writeFileSync(folder + "/x", ""))),
  hosts: fs.readFileSync("/etc/hosts", "utf8"),
  config: fs.readFileSync("/etc/hauberk-test/app.yaml", "utf8"),
  configWritten: attempt(() => fs.writeFileSync("/etc/hauberk-test/app.yaml", "")),
  volume: attempt(() => fs.writeFileSync("/hauberk-test-volume/written", "")),
  token: fs.readFileSync("/var/run/secrets/kubernetes.io/serviceaccount/app.yaml", "utf8"),
  link: run("ip", "link", "set", "eth0", "down"),
  rules: run("nft", "flush", "ruleset"),
  enter: run("nsenter", "--net=/proc/1/ns/net", "true"),
  mount: run("mount", "-t", "tmpfs", "none", "/tmp"),
  variables: [process.env.LD_HAUBERK_TEST, process.env.HAUBERK_TEST],
}));`;

test("a container is shut in, and has what it was promised", () => {
  const folder = join(data, "files");
  const home = join(data, "..", "home");
  for (const one of ["tmp", "volume"]) mkdirSync(join(folder, one), { recursive: true });
  writeFileSync(join(folder, "hosts"), "127.0.0.1 localhost\n");
  writeFileSync(join(folder, "volume", "app.yaml"), "value\n");
  writeFileSync(join(home, "secret"), "");
  if (user === "root") {
    for (const one of ["tmp", "volume"]) {
      chownSync(join(folder, one), APPLICATION_UID, APPLICATION_UID);
    }
  }
  const { command, environment } = encloseContainer({
    user,
    networkNamespace: caller.network.path,
    hostname: "api-0",
    command: [process.execPath, "-e", LOOK_AROUND, data, home],
    environment: {
      PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`,
      LD_HAUBERK_TEST: "inside",
      HAUBERK_TEST: "set",
    },
    workingDirectory: "/",
    temporaryFolder: join(folder, "tmp"),
    volumes: [
      { source: join(folder, "hosts"), target: "/etc/hosts", mode: "read-only" },
      {
        source: join(folder, "volume", "app.yaml"),
        target: "/etc/hauberk-test/app.yaml",
        mode: "read-only",
      },
      { source: join(folder, "volume"), target: "/hauberk-test-volume", mode: "writable" },
      {
        source: join(folder, "volume"),
        target: "/var/run/secrets/kubernetes.io/serviceaccount",
        mode: "read-only",
      },
    ],
    dataDirectory: data,
    home,
    visible: [],
    host: hostFiles,
  });
  assert.equal(environment["LD_HAUBERK_TEST"], undefined, "not for the programs around");
  const [program, ...parameters] = command;
  const since = performance.now();
  const { stdout, stderr } = spawnSync(program, parameters, { env: environment, encoding: "utf8" });
  console.log(
    `figure: a container's life of one question took ${(performance.now() - since).toFixed(0)} ms`,
  );
  const found = JSON.parse(stdout || "{}") as Record<string, unknown>;
  const none = "0000000000000000";
  const { processes, link, rules, enter, mount, data: dataSeen, ...rest } = found;
  assert.deepEqual(
    rest,
    {
      uid: APPLICATION_UID,
      capabilities: [none, none, none, none, none],
      noNewPrivileges: "1",
      hostname: "api-0",
      home: "0",
      root: "EROFS",
      etc: "EROFS",
      usr: "EROFS",
      scratch: ["done", "done", "done", "done", "done"],
      hosts: "127.0.0.1 localhost\n",
      config: "value\n",
      configWritten: "EROFS",
      volume: "done",
      token: "value\n",
      variables: ["inside", "set"],
    },
    stderr,
  );
  assert.ok(dataSeen === "0" || dataSeen === "ENOENT", `${dataSeen}`);
  assert.ok(Number(processes) <= 3, `${processes} processes are seen`);
  for (const [what, status] of Object.entries({ link, rules, enter, mount })) {
    assert.notEqual(status, 0, what);
    assert.notEqual(status, null, `${what} was not there to be tried`);
  }
});

test("an application can neither mark nor listen in on anything raw", () => {
  const { command, environment } = encloseContainer({
    ...plainContainer(),
    command: [
      process.execPath,
      "-e",
      `const koffi = require(process.argv[1]);
       const library = koffi.load(null);
       const socket = library.func("int socket(int, int, int)");
       const option = library.func("int setsockopt(int, int, int, const uint8_t*, uint32_t)");
       const mark = Buffer.from([0x39, 5, 0, 0]);
       console.log(JSON.stringify([option(socket(2, 1, 0), 1, 36, mark, 4), socket(2, 3, 6), socket(17, 3, 768), socket(2, 1, 0) >= 0]));`,
      join(process.cwd(), "node_modules", "koffi"),
    ],
  });
  const [program, ...parameters] = command;
  const { stdout, stderr } = spawnSync(program, parameters, { env: environment, encoding: "utf8" });
  assert.equal(stdout.trim(), "[-1,-1,-1,true]", stderr);
});

function plainContainer(): Omit<Parameters<typeof encloseContainer>[0], "command"> {
  const temporaryFolder = join(data, "plain");
  mkdirSync(temporaryFolder, { recursive: true });
  return {
    user,
    networkNamespace: caller.network.path,
    hostname: "plain",
    environment: { PATH: process.env["PATH"] ?? "" },
    workingDirectory: "/",
    temporaryFolder,
    volumes: [],
    dataDirectory: data,
    home: "/nonexistent",
    visible: [process.cwd()],
    host: hostFiles,
  };
}

test("the enclosure adds no open files to those that it was started with", () => {
  const look = ["/bin/ls", "/proc/self/fd"] as const;
  const { command, environment } = encloseContainer({ ...plainContainer(), command: look });
  const [plain, enclosed] = [look, command].map(([program, ...parameters]) =>
    spawnSync(program, parameters, { env: environment, encoding: "utf8" }),
  );
  assert.match(plain?.stdout ?? "", /^0\n1\n2\n/);
  assert.equal(enclosed?.stdout, plain?.stdout, enclosed?.stderr);
});

test("a sidecar sees no keys, and has one capability at most", () => {
  writeFileSync(join(data, "key.pem"), "secret", { mode: 0o644 });
  const [program, ...parameters] = encloseSidecar({
    user,
    networkNamespace: caller.network.path,
    dataDirectory: data,
    folders: [],
    command: [
      process.execPath,
      "-e",
      `const fs = require("node:fs");
       const status = fs.readFileSync("/proc/self/status", "utf8");
       const field = (name) => new RegExp("^" + name + ":\\\\s*(.*)$", "m").exec(status)?.[1];
       console.log(JSON.stringify([process.getuid(), field("CapEff"), field("CapBnd"), field("NoNewPrivs"), fs.readdirSync(process.argv[1])]));`,
      data,
    ],
  });
  const { stdout, stderr } = spawnSync(program, parameters, { encoding: "utf8" });
  const capabilities = user === "root" ? "0000000000000000" : "0000000000001000";
  const uid = user === "root" ? SIDECAR_UID : APPLICATION_UID;
  assert.deepEqual(JSON.parse(stdout || "[]"), [uid, capabilities, capabilities, "1", []], stderr);
});

test("an application is asked to end, and ends in its own way", async () => {
  const { command, environment } = encloseContainer({
    ...plainContainer(),
    command: [
      process.execPath,
      "-e",
      'process.on("SIGTERM", () => process.exit(7)); setInterval(() => {}, 1000); console.log("up");',
    ],
  });
  const [program, ...parameters] = command;
  const child = spawn(program, parameters, {
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const exit = new Promise((resolve) => child.once("exit", resolve));
  const own = await applicationProcesses(child.pid ?? 0);
  assert.equal(own.length, 1);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  process.kill(own[0] ?? 0, "SIGTERM");
  assert.equal(await exit, 7);
  assert.deepEqual(await applicationProcesses(child.pid ?? 0), []);
});
