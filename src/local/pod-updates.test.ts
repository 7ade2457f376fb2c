/** Which pods a change of what makes them replaces, and how: with real programs, which do nothing. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import { podContext } from "../../test/kit/pod-context.ts";
import { carryOutChange } from "./carry-out-change.ts";
import { ChangePlanner } from "./change-planner.ts";
import { planMesh } from "./mesh-plan.ts";
import { keyOf, PodUids } from "./pod-identity.ts";
import { Pod } from "./pods/pod.ts";
import { PortAllocator } from "./port-allocator.ts";
import { PresentPods } from "./present-pods.ts";
import { RollingReplacement } from "./rolling-replacement.ts";
import { RunningPods } from "./running-pods.ts";

interface Written {
  readonly kind: "Deployment" | "StatefulSet";
  readonly version: string;
  readonly replicas?: number;
  /** Of its `spec`. */
  readonly strategy: string;
}

const ownerOf = ({ kind, version, replicas = 3, strategy }: Written) =>
  resourcesOf(`
apiVersion: apps/v1
kind: ${kind}
metadata: {name: db, namespace: shop}
spec:
  replicas: ${replicas}
  ${strategy}
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: app, image: i, command: [sleep, "600"], env: [{name: VERSION, value: ${version}}]}]
`);

interface ChangingPods {
  change(written: Written): Promise<void>;
  /** As somebody who deletes it: the next change makes it anew. */
  remove(name: string): void;
  /** `db-0 one`, with what tells that it is not as it is planned. */
  pods(): readonly string[];
  /** What was started and stopped since it was asked last. */
  steps(): readonly string[];
}

async function pods(context: TestContext, first: Written): Promise<ChangingPods> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  const ports = await PortAllocator.open(join(folder, "ports.json"));
  let resources = ownerOf(first);
  const uids = new PodUids();
  const placement = {
    ports,
    uid: (key: string): string => uids.of(key),
    addresses: undefined,
    dataPlane: undefined,
  };
  const steps: string[] = [];
  const running = new RunningPods({
    make: (planned) => new Pod(planned, podContext({ folder, resources })),
    report: (event) => {
      if (event.type === "pod-started" || event.type === "pod-stopped")
        steps.push(`${event.type.slice("pod-".length)} ${event.workload.name}`);
    },
  });
  const rolling = new RollingReplacement({
    pods: running,
    tell: () => Promise.resolve(),
    onGone: ({ key }) => uids.forget(key),
    isClosing: () => true,
  });
  const plan = await planMesh(resources, placement);
  const present = new PresentPods({ plan, uids, running, rolling });
  const planner = new ChangePlanner({ placement, present, checkLaunches: () => Promise.resolve() });
  context.after(async () => {
    await Promise.all(running.all.map((pod) => running.stop(pod)));
    await ports.release();
    await rm(folder, { recursive: true });
  });
  for (const planned of plan.pods) await running.start(planned);
  steps.length = 0;
  const versionOf = (pod: Pod): string => {
    const [variable] = pod.plan.template.containers[0]?.env ?? [];
    return variable !== undefined && "value" in variable ? String(variable.value) : "none";
  };
  return {
    async change(written) {
      resources = ownerOf(written);
      const next = present.adopt(await planner.plan(resources));
      const told = Promise.resolve();
      const tell = (): Promise<void> => told;
      await carryOutChange(next, { present, told, tell, isWanted: () => true });
    },
    remove: (name) => void uids.renew(keyOf({ namespace: "shop", name })),
    pods: () =>
      running.all
        .map((pod) => {
          const outdated = present.isOutdated(pod) ? " (outdated)" : "";
          return `${pod.plan.workload.name} ${versionOf(pod)}${outdated}`;
        })
        .sort(),
    steps: () => steps.splice(0),
  };
}

const RECREATE = "strategy: {type: Recreate}";
const inPlace = (unavailable: number): string =>
  `strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: ${unavailable}}}`;
const from = (partition: number): string =>
  `updateStrategy: {rollingUpdate: {partition: ${partition}}}`;

describe("pods whose template changes", { concurrency: true }, () => {
  test("of a StatefulSet are made anew from the highest ordinal down to the partition", async (context) => {
    const set = { kind: "StatefulSet", strategy: from(1) } as const;
    const { change, remove, pods: all, steps } = await pods(context, { ...set, version: "one" });
    await change({ ...set, version: "two" });
    assert.deepEqual(steps(), ["stopped db-2", "started db-2", "stopped db-1", "started db-1"]);
    assert.deepEqual(all(), ["db-0 one (outdated)", "db-1 two", "db-2 two"]);
    await change({ ...set, version: "two" });
    assert.deepEqual(steps(), [], "nothing has changed");
    remove("db-0");
    await change({ ...set, version: "two" });
    assert.deepEqual(steps(), ["stopped db-0", "started db-0"]);
    assert.deepEqual(all()[0], "db-0 one (outdated)", "it is made as it was");
    await change({ ...set, version: "one" });
    assert.deepEqual(all(), ["db-0 one", "db-1 one", "db-2 one"]);
    steps();
    await change({ ...set, version: "two" });
    await change({ ...set, strategy: from(0), version: "two" });
    assert.deepEqual(all(), ["db-0 two", "db-1 two", "db-2 two"]);
    assert.deepEqual(steps().slice(-2), ["stopped db-0", "started db-0"]);
  });

  test("of a StatefulSet with OnDelete stay until they are deleted", async (context) => {
    const set = { kind: "StatefulSet", strategy: "updateStrategy: {type: OnDelete}" } as const;
    const { change, remove, pods: all, steps } = await pods(context, { ...set, version: "one" });
    await change({ ...set, version: "two" });
    assert.deepEqual(steps(), []);
    remove("db-1");
    await change({ ...set, version: "two" });
    assert.deepEqual(all(), ["db-0 one (outdated)", "db-1 two", "db-2 one (outdated)"]);
    await change({ ...set, replicas: 1, version: "two" });
    assert.deepEqual(all(), ["db-0 one (outdated)"]);
  });

  test("of a Deployment without surge end first, so many at a time", async (context) => {
    const owner = { kind: "Deployment", strategy: inPlace(2) } as const;
    const { change, pods: all, steps } = await pods(context, { ...owner, version: "one" });
    await change({ ...owner, version: "two" });
    assert.deepEqual(all(), ["db-0 two", "db-1 two", "db-2 two"]);
    const taken = steps();
    assert.deepEqual(taken.slice(0, 4).sort(), [
      ...["started db-0", "started db-1", "stopped db-0", "stopped db-1"],
    ]);
    assert.deepEqual(taken.slice(4), ["stopped db-2", "started db-2"]);
  });

  test("of a Deployment with Recreate all end before a new one begins", async (context) => {
    const owner = { kind: "Deployment", strategy: RECREATE } as const;
    const { change, pods: all, steps } = await pods(context, { ...owner, version: "one" });
    await change({ ...owner, version: "two" });
    assert.deepEqual(all(), ["db-0 two", "db-1 two", "db-2 two"]);
    assert.deepEqual(
      steps().map((step) => step.split(" ")[0]),
      ["stopped", "stopped", "stopped", "started", "started", "started"],
    );
  });

  test("of a Deployment with Recreate all end before any begins, also those that are added", async (context) => {
    const owner = { kind: "Deployment", strategy: RECREATE } as const;
    const { change, steps } = await pods(context, { ...owner, replicas: 2, version: "one" });
    await change({ ...owner, replicas: 4, version: "two" });
    assert.deepEqual(
      steps().map((step) => step.split(" ")[0]),
      ["stopped", "stopped", "started", "started", "started", "started"],
    );
  });

  test("of a Deployment with minReadySeconds are waited for", async (context) => {
    const strategy = `minReadySeconds: 1\n  ${inPlace(1)}`;
    const owner = { kind: "Deployment", replicas: 2, strategy } as const;
    const { change } = await pods(context, { ...owner, version: "one" });
    const since = performance.now();
    await change({ ...owner, version: "two" });
    assert.ok(performance.now() - since >= 2_000);
  });
});
