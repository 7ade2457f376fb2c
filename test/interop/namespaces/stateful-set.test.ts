/** StatefulSets whose pods have networks of their own: order, names, a Service for one pod, volumes that outlive all. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import type { PodAgent } from "../../kit/pod-agent.ts";
import { until } from "../../kit/until.ts";

/** Long enough to see that nothing starts that must not. */
const QUIET_MS = 1_500;
const PORT = 7000;

/** A pod is ready once its agent has been told to listen. */
function storeOf({ replicas, version }: { replicas: number; version: string }): string {
  return `
apiVersion: v1
kind: Service
metadata: {name: store, namespace: shop}
spec:
  clusterIP: None
  selector: {app: store}
  ports: [{port: ${PORT}}]
---
apiVersion: v1
kind: Service
metadata: {name: only-one, namespace: shop}
spec:
  selector: {statefulset.kubernetes.io/pod-name: store-1}
  ports: [{port: 80, targetPort: ${PORT}}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store, namespace: shop}
spec:
  serviceName: store
  replicas: ${replicas}
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}, annotations: {version: "${version}"}}
    spec:
      containers:
      - name: agent
        image: serve
        ports: [{containerPort: ${PORT}}]
        readinessProbe: {tcpSocket: {port: ${PORT}}, periodSeconds: 1, failureThreshold: 1}
        volumeMounts: [{name: kept, mountPath: /var/lib/kept}]
  volumeClaimTemplates:
  - metadata: {name: kept}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
`;
}

const CALLER = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: caller, namespace: shop}
spec:
  selector: {matchLabels: {app: caller}}
  template:
    metadata: {labels: {app: caller}}
    spec: {containers: [{name: agent, image: serve}]}
`;

const skip = namespacesMissing();

describe("a StatefulSet", { skip }, () => {
  let mesh: MeshInNamespaces;

  before(async () => {
    mesh = await MeshInNamespaces.start({
      folders: ["test/meshes/agents"],
      texts: { "store.yaml": storeOf({ replicas: 3, version: "1" }), "caller.yaml": CALLER },
    });
  });
  after(() => mesh?.remove());

  const store = (index: number): PodAgent => mesh.agent(`shop/store-${index}`);
  const caller = (): PodAgent => mesh.agent("shop/caller-0");

  /** Of the set. */
  async function running(): Promise<readonly string[]> {
    const { pods } = await mesh.status();
    return pods
      .filter(({ owner, containers }) => owner === "store" && containers[0]?.phase === "running")
      .map(({ name }) => name)
      .sort();
  }

  /** Of the set's pods: the first process of each that runs. */
  async function processes(): Promise<ReadonlyMap<string, number>> {
    const { pods } = await mesh.status();
    return new Map(
      pods
        .filter(({ owner }) => owner === "store")
        .flatMap(({ name, containers }): [string, number][] => {
          const processId = containers[0]?.processId;
          return processId === undefined ? [] : [[name, processId]];
        }),
    );
  }

  const untilRunning = (...names: readonly string[]): Promise<unknown> =>
    until(
      () => `${names} to run, in: ${mesh.said}`,
      async () => String(await running()) === String(names),
    );

  test("each pod waits until the one before it is ready", async () => {
    await untilRunning("store-0");
    await delay(QUIET_MS);
    assert.deepEqual(await running(), ["store-0"]);
    await store(0).listen(PORT);
    await untilRunning("store-0", "store-1");
    await delay(QUIET_MS);
    assert.deepEqual(await running(), ["store-0", "store-1"]);
  });

  test("a pod knows its full name before it is ready; others know it only then", async () => {
    const { ipv4, ipv6 } = await mesh.addresses("shop/store-1");
    const full = "store-1.store.shop.svc.cluster.local";
    assert.equal((await store(1).run("hostname", "--fqdn")).output.trim(), full);
    assert.deepEqual([...(await store(1).lookUp(full))].sort(), [ipv4, ipv6].sort());
    assert.equal(await caller().lookUp("store-1.store"), "ENOTFOUND");
    await store(1).listen(PORT);
    await untilRunning("store-0", "store-1", "store-2");
    assert.deepEqual([...(await caller().lookUp("store-1.store"))].sort(), [ipv4, ipv6].sort());
  });

  test("each is reached by its own name, and a Service selects a single one", async () => {
    await store(2).listen(PORT);
    await until("store-2 to have a name", async () =>
      Array.isArray(await caller().lookUp("store-2.store")),
    );
    for (const index of [0, 1, 2]) {
      const name = `store-${index}`;
      assert.equal(await caller().call(`${name}.store`, PORT), name);
      assert.equal(await store(0).call(`${name}.store.shop.svc.cluster.local`, PORT), name);
    }
    for (let call = 0; call < 6; call++) {
      assert.equal(await caller().call("only-one", 80), "store-1");
    }
  });

  test("a change of the template makes pods anew one by one, the last first; whoever called the old one reaches the new one", async () => {
    for (const index of [0, 1, 2]) {
      const { code, errors } = await store(index).run("sh", "-c", keep(index));
      assert.equal(code, 0, errors);
    }
    const before = await processes();
    const changed = mesh.change("store.yaml", storeOf({ replicas: 3, version: "2" }));
    for (const index of [2, 1, 0]) {
      const name = `store-${index}`;
      await until(`${name} to be made anew`, async () => {
        const now = (await processes()).get(name);
        return now !== undefined && now !== before.get(name);
      });
      await delay(QUIET_MS);
      const now = await processes();
      for (let lower = 0; lower < index; lower++)
        assert.equal(now.get(`store-${lower}`), before.get(`store-${lower}`), "not its turn yet");
      await store(index).listen(PORT);
    }
    await changed;
    const { ipv4, ipv6 } = await mesh.addresses("shop/store-0");
    assert.equal(await caller().call(ipv4, PORT), "store-0");
    assert.equal(await caller().call(ipv6, PORT), "store-0");
    await assertKept([0, 1, 2]);
  });

  test("fewer replicas end the last pods, more bring them back with what they kept", async () => {
    await mesh.change("store.yaml", storeOf({ replicas: 1, version: "2" }));
    assert.deepEqual(await running(), ["store-0"]);
    assert.equal(await caller().lookUp("store-2.store"), "ENOTFOUND");
    await mesh.change("store.yaml", storeOf({ replicas: 2, version: "2" }));
    await untilRunning("store-0", "store-1");
    await store(1).listen(PORT);
    await assertKept([0, 1]);
  });

  test("what they keep outlives the mesh", async () => {
    await mesh.down();
    await mesh.up();
    await store(0).listen(PORT);
    await untilRunning("store-0", "store-1");
    await assertKept([0, 1]);
  });

  async function assertKept(indexes: readonly number[]): Promise<void> {
    for (const index of indexes) {
      const { output, errors } = await store(index).run("cat", "/var/lib/kept/name");
      assert.equal(output, `of store-${index}\n`, errors);
    }
  }
});

function keep(index: number): string {
  return `test ! -e /var/lib/kept/name && echo of store-${index} > /var/lib/kept/name`;
}
