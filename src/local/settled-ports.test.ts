import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "../../test/kit/free-port.ts";
import { parseResources } from "../api/parse-resources.ts";
import type { Resource } from "../api/resource.ts";
import { planMesh } from "./mesh-plan.ts";
import { PortAllocator } from "./port-allocator.ts";
import { PortTakenError, SharedPortError, settlePorts } from "./settled-ports.ts";

const IMAGES = `
apiVersion: hauberk.dev/v1
kind: ImageCommands
metadata: {name: images}
spec: {images: [{image: "*", command: [serve]}]}
---
`;

const owner = (
  name: string,
  { kind = "Deployment", replicas = 1, address = "0.0.0.0:8080", port = 8080 } = {},
): string => `
apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}, namespace: shop}
spec:
  ${kind === "StatefulSet" ? `serviceName: ${name}` : ""}
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: ${name}, image: any, args: ["${address}"], ports: [{containerPort: ${port}}]}]}
---
`;

function resourcesOf(yaml: string): readonly Resource[] {
  const { resources, issues } = parseResources(IMAGES + yaml, "mesh.yaml");
  assert.deepEqual(issues, []);
  return resources;
}

async function withAllocator(work: (ports: PortAllocator) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-plan-"));
  const ports = await PortAllocator.open(join(folder, "ports.json"));
  try {
    await work(ports);
  } finally {
    await ports.release();
    await rm(folder, { recursive: true });
  }
}

test("the article's authorizer runs once on a shared loopback, on the ports that it names", async () => {
  await withAllocator(async (ports) => {
    let text = readFileSync("examples/seeds/13-opa.yaml", "utf8");
    const numbers: number[] = [];
    for (const port of [9191, 8181, 8282]) {
      const free = await freePort(); // of the article's own somebody may be in need
      text = text.replaceAll(`${port}`, `${free}`);
      numbers.push(free);
    }
    const resources = resourcesOf(text);
    const { pods, settled } = await planMesh(resources, { ports, uid: (key) => key });
    assert.deepEqual(
      settled.map(({ title, replicas, ports: own }) => [title, replicas, own]),
      [["Deployment istio-system/opa-authorizer", 2, numbers.sort((one, other) => one - other)]],
    );
    const [opa, ...others] = pods;
    assert.deepEqual(others, []);
    for (const { containerPort, listen, application } of opa?.workload.ports ?? []) {
      assert.deepEqual(application, { address: "127.0.0.1", port: containerPort });
      assert.deepEqual(listen, application);
    }
  });
});

test("a port that another program has is refused before anything starts, and one of our own is not", async () => {
  const port = await freePort();
  const plan = (ports: PortAllocator) =>
    planMesh(resourcesOf(owner("one", { address: `0.0.0.0:${port}`, port })), {
      ports,
      uid: (key) => key,
    });
  await withAllocator(async (ports) => {
    await plan(ports);
    const program = createServer().listen(port, "127.0.0.1");
    await once(program, "listening");
    await plan(ports); // it is its own by now
    await withAllocator((others) => assert.rejects(plan(others), PortTakenError));
    program.close();
    await once(program, "close");
    await withAllocator((others) =>
      assert.rejects(plan(others), new RegExp(`port ${port} of this machine's loopback`)),
    );
  });
});

test("two programs cannot share a port, of whatever kind they are", () => {
  for (const kind of ["Deployment", "StatefulSet"]) {
    assert.throws(
      () => settlePorts(resourcesOf(owner("one") + owner("two", { kind }))),
      (error) =>
        error instanceof SharedPortError &&
        /container two listens on port 8080, as container one \(mesh\.yaml:\d+\) does/.test(
          error.message,
        ),
    );
  }
});

test("whoever goes by $(PORT), does not run, or has another port is in nobody's way", () => {
  const yaml =
    owner("one") +
    owner("two", { address: "$(HOST):$(PORT)", replicas: 3 }) +
    owner("three", { replicas: 0 }) +
    owner("four", { address: "0.0.0.0:9090", port: 9090 });
  const { owners, ports, resources } = settlePorts(resourcesOf(yaml));
  assert.deepEqual(
    owners.map(({ title }) => title),
    ["one", "three", "four"].map((name) => `Deployment shop/${name}`),
  );
  assert.equal(ports.get("shop/four-0/application/9090"), 9090);
  const replicas = resources.flatMap((one) => (one.kind === "Deployment" ? one.replicas : []));
  assert.deepEqual(replicas, [1, 3, 0, 1]);
});
