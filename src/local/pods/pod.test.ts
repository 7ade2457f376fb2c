/** With a small program in the place of Envoy's agent, which says what an agent says. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../../../test/kit/eventually.ts";
import { resourcesOf } from "../../../test/kit/mesh-parts.ts";
import { podContext } from "../../../test/kit/pod-context.ts";
import { planMesh } from "../mesh-plan.ts";
import { PortAllocator } from "../port-allocator.ts";
import type { ProcessEvent } from "../processes/supervised-process.ts";
import { Pod } from "./pod.ts";

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: app, image: i, command: [sleep, "600"]}]
`;

/** Envoy ends before it serves, and later once more. */
const AGENT = `
import { Socket } from "node:net";
import { createInterface } from "node:readline";
const pipe = new Socket({ fd: 3 });
const send = (message) => pipe.write(JSON.stringify(message) + "\\n");
createInterface(pipe).on("line", (line) => {
  const { type } = JSON.parse(line);
  if (type === "bootstrap") {
    send({ type: "restarted", problem: "Envoy ended with code 3" });
    send({ type: "ready" });
  }
  if (type === "token") send({ type: "restarted", problem: "Envoy ended with SIGKILL" });
});
`;

test("an Envoy that its agent started again is a restart of the sidecar, and no end of it", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  const program = join(folder, "agent.mjs");
  await writeFile(program, AGENT);
  const ports = await PortAllocator.open(join(folder, "ports.json"));
  const resources = resourcesOf(MESH);
  const { pods } = await planMesh(resources, { ports, uid: (key) => key, dataPlane: "envoy" });
  const [plan] = pods;
  if (plan === undefined) throw new Error("one pod is expected");
  const events: (readonly [title: string, event: ProcessEvent])[] = [];
  const pod = new Pod(
    plan,
    podContext(
      { folder, resources },
      {
        hauberkCommand: [process.execPath, program],
        controlPlane: () => Promise.resolve({ listen: "127.0.0.1:1", rootPem: "root" }),
        workloads: () => [plan.workload],
        report: (title, event) => events.push([title, event]),
      },
    ),
  );
  context.after(async () => {
    await pod.stop();
    await ports.release();
    await rm(folder, { recursive: true });
  });
  const restarts = (): unknown[] => events.filter(([, { type }]) => type === "restarted");
  const title = "shop/api-0 sidecar";
  const first = [title, { type: "restarted", problem: "Envoy ended with code 3" }];
  await pod.start();
  assert.deepEqual(restarts(), [first]);
  const { sidecar } = pod;
  const processId = sidecar?.processId;
  sidecar?.send({ type: "token" });
  await eventually("another restart", () => sidecar?.restarts === 2);
  const second = [title, { type: "restarted", problem: "Envoy ended with SIGKILL" }];
  assert.deepEqual(restarts(), [first, second]);
  assert.deepEqual([sidecar?.processId, sidecar?.phase], [processId, "running"]);
});
