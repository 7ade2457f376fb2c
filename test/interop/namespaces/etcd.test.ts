/** The example of unmodified etcd: three members under STRICT mutual TLS, which outlive the death of their parts. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { applicationProcesses } from "../../../src/local/network/application-processes.ts";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import { missingParts } from "../../kit/missing-parts.ts";
import type { PodAgent, ProgramResult } from "../../kit/pod-agent.ts";
import { until } from "../../kit/until.ts";

const MEMBERS = ["etcd-0", "etcd-1", "etcd-2"];
const endpointOf = (member: string): string => `http://${member}.etcd:2379`;
const ALL = MEMBERS.map(endpointOf).join(",");

/** One that may come as near as the clients of the example, and one that may not. */
const AGENTS = ["teller", "stranger"]
  .map(
    (name) => `
apiVersion: v1
kind: ServiceAccount
metadata: {name: ${name}, namespace: production}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: production}
spec:
  selector: {matchLabels: {agent: ${name}}}
  template:
    metadata: {labels: {agent: ${name}, app: ${name === "teller" ? "orders" : name}}}
    spec:
      serviceAccountName: ${name === "teller" ? "orders" : name}
      containers: [{name: agent, image: serve}]
`,
  )
  .join("---");

const skip = missingParts("etcd", "etcdctl") || namespacesMissing();

describe("etcd, unmodified, as a StatefulSet", { skip }, () => {
  let mesh: MeshInNamespaces;
  let teller: PodAgent;
  let stranger: PodAgent;

  before(async () => {
    mesh = await MeshInNamespaces.start({
      folders: ["examples/etcd", "test/meshes/agents"],
      texts: { "agents.yaml": AGENTS, "etcd.yaml": await impatient("examples/etcd/etcd.yaml") },
    });
    teller = mesh.agent("production/teller-0");
    stranger = mesh.agent("production/stranger-0");
  });
  after(() => mesh?.remove());

  const etcdctl = (...parameters: readonly string[]): Promise<ProgramResult> =>
    teller.run("env", "ETCDCTL_API=3", "etcdctl", "--command-timeout=3s", ...parameters);

  async function get(key: string, ...parameters: readonly string[]): Promise<string> {
    const { output } = await etcdctl("get", "--print-value-only", key, ...parameters);
    return output.trim();
  }

  const allHealthy = async (): Promise<boolean> =>
    (await etcdctl(`--endpoints=${ALL}`, "endpoint", "health")).code === 0;

  /** Two of three are enough, whoever is down. */
  async function put(key: string, value: string): Promise<void> {
    await until(`etcd takes ${key}`, async () => {
      const { output } = await etcdctl(`--endpoints=${ALL}`, "put", key, value);
      return output.trim() === "OK";
    });
  }

  test("three members form a quorum and serve", async () => {
    await until("all members to be healthy", allHealthy);
    const { output } = await etcdctl(`--endpoints=${ALL}`, "member", "list");
    assert.equal(output.match(/, started, etcd-[012], /g)?.length, 3, output);
    await put("first", "one");
    for (const member of MEMBERS) assert.equal(await get("first", endpoints(member)), "one");
  });

  test("the example's own client counts", async () => {
    const log = await until("the client to have counted", async () => {
      const text = await mesh.read("logs/production/orders-0/orders.log");
      return text.includes("wrote 3, read 3") && text;
    });
    assert.match(log, /^wrote 1, read 1\nwrote 2, read 2\n/m);
  });

  test("members know each other by certificate", async () => {
    const log = await mesh.read("logs/production/etcd-0/sidecar.log");
    const opened = log
      .split("\n")
      .filter((line) => line.includes('"connection opened"') && line.includes('"port":2380'));
    assert.ok(opened.length > 0, log);
    for (const line of opened) assert.match(line, /"principal":"[^"]*\/ns\/production\/sa\/etcd"/);
  });

  test("only its clients come to 2379, and to 2380 only its members", async () => {
    const { ipv4, ipv6 } = await mesh.addresses("production/etcd-0");
    for (const address of [ipv4, ipv6]) {
      assert.equal(await stranger.call(address, 2379), "closed");
      assert.equal(await teller.call(address, 2380), "closed");
    }
    const log = await until("the refusals in the log", async () => {
      const text = await mesh.read("logs/production/stranger-0/access.log");
      return text.includes('"because":"network-policy"') && text;
    });
    assert.match(log, /"because":"network-policy".*production.*etcd/);
  });

  test("kill -9 of a member: it is back with its data, and the others served on", async () => {
    await put("before", "the kill");
    const { processId } = await mesh.process("production/etcd-1 etcd");
    const [own = assert.fail("etcd does not run")] = await applicationProcesses(processId);
    process.kill(own, "SIGKILL");
    await put("during", "the absence");
    await until("the member to be back", allHealthy);
    const local = ["--consistency=s", endpoints("etcd-1")];
    assert.equal(await get("before", ...local), "the kill");
    assert.equal(await get("during", ...local), "the absence");
    const log = await mesh.read("logs/production/etcd-1/etcd.log");
    assert.match(log, /restarting member [0-9a-f]+ in cluster/);
  });

  test("kill -9 of a sidecar: its member is back in the quorum", async () => {
    const { processId } = await mesh.process("production/etcd-2 sidecar");
    process.kill(processId, "SIGKILL");
    await put("without", "a sidecar");
    await until("the member to be reached again", allHealthy);
    assert.equal(await get("without", endpoints("etcd-2")), "a sidecar");
    assert.notEqual((await mesh.process("production/etcd-2 sidecar")).processId, processId);
  });

  test("down and up: what was written is there", async () => {
    await mesh.down();
    await mesh.up();
    await until("all members to be healthy", allHealthy);
    assert.equal(await get("during", endpoints("etcd-0")), "the absence");
  });
});

/** A leader that finds nobody to take its place would take six seconds to end. */
async function impatient(file: string): Promise<string> {
  const text = await readFile(file, "utf8");
  const changed = text.replace(/^( +)containers:/m, "$1terminationGracePeriodSeconds: 1\n$&");
  assert.notEqual(changed, text);
  return changed;
}

function endpoints(member: string): string {
  return `--endpoints=${endpointOf(member)}`;
}
