/** How pods are replaced, as what owns them says, and the hooks that they have, seen with kubectl. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Kubectl } from "../kit/kubectl-program.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

const skip = missingParts("kubectl");

/** Says in a file when it begins and when it ends, which takes it a moment. */
const PROGRAM =
  "echo $VERSION start >> $LOG; trap 'sleep 0.3; echo $VERSION end >> $LOG; exit 0' TERM; while :; do sleep 0.1; done";

interface Owner {
  readonly kind: "Deployment" | "StatefulSet";
  readonly name: string;
  readonly replicas: number;
  /** Of its `spec`. */
  readonly strategy: string;
  /** Of its container. */
  readonly more?: string;
}

const OWNERS: readonly Owner[] = [
  {
    kind: "StatefulSet",
    name: "db",
    replicas: 3,
    strategy: "updateStrategy: {rollingUpdate: {partition: 2}}",
  },
  { kind: "StatefulSet", name: "lazy", replicas: 2, strategy: "updateStrategy: {type: OnDelete}" },
  {
    kind: "Deployment",
    name: "alone",
    replicas: 3,
    strategy: "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}",
  },
  { kind: "Deployment", name: "anew", replicas: 2, strategy: "strategy: {type: Recreate}" },
  { kind: "Deployment", name: "slow", replicas: 1, strategy: "minReadySeconds: 4" },
  {
    kind: "Deployment",
    name: "hooked",
    replicas: 1,
    strategy: "strategy: {type: Recreate}",
    more: `, lifecycle: {preStop: {exec: {command: [sh, -c, "echo hook start >> $LOG; exit 3"]}}}`,
  },
];

const ownerText = (
  { kind, name, replicas, strategy, more = "" }: Owner,
  folder: string,
): string => `---
apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}, namespace: shop}
spec:
  replicas: ${replicas}
  ${strategy}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - {name: app, image: sh, command: [sh, -c, "${PROGRAM}"], env: [{name: VERSION, value: one}, {name: LOG, value: ${join(folder, name)}.log}]${more}}
`;

describe("how pods are replaced", { skip }, () => {
  let folder: string;
  let mesh: RunningMesh;
  let kubectl: Kubectl;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-strategies-"));
    const file = join(folder, "mesh.yaml");
    const namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
    await writeFile(file, [namespace, ...OWNERS.map((owner) => ownerText(owner, folder))].join(""));
    mesh = await runMesh([file]);
    kubectl = await Kubectl.of(mesh.data);
  });
  after(async () => {
    await mesh?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const run = async (...parameters: string[]): Promise<string> => {
    const { code, output, errors } = await kubectl.run(["-n", "shop", ...parameters]);
    assert.equal(code, 0, errors);
    return output.toString("utf8");
  };
  const setVersion = (owner: string, version: string): Promise<string> =>
    run("set", "env", owner, `VERSION=${version}`);
  const rolledOut = (owner: string): Promise<string> =>
    run("rollout", "status", owner, "--timeout=60s");
  /** By pod, as the API shows it: `db-0 one`. */
  const versions = async (app: string): Promise<readonly string[]> => {
    const path =
      '{range .items[*]}{.metadata.name} {.spec.containers[0].env[?(@.name=="VERSION")].value}{"\\n"}{end}';
    return (await run("get", "pods", "-l", `app=${app}`, "-o", `jsonpath=${path}`))
      .trim()
      .split("\n");
  };
  /** As its programs tell. */
  const told = async (name: string): Promise<readonly string[]> =>
    (await readFile(join(folder, `${name}.log`), "utf8")).trim().split("\n");
  const nowRunning = async (pod: string): Promise<string> =>
    (await run("exec", pod, "--", "sh", "-c", "echo $VERSION")).trim();

  test("below the partition pods of a StatefulSet stay, also when they are deleted, until it is lowered", async () => {
    await setVersion("sts/db", "two");
    assert.match(await rolledOut("sts/db"), /partitioned roll out complete: 1 new pods/);
    assert.deepEqual(await versions("db"), ["db-0 one", "db-1 one", "db-2 two"]);
    const status = "{.status.updatedReplicas} {.status.currentReplicas} {.status.replicas}";
    assert.equal(await run("get", "sts/db", "-o", `jsonpath=${status}`), "1 2 3");
    const [uid, revisions] = [
      "{.metadata.uid}",
      "{.status.currentRevision} {.status.updateRevision}",
    ];
    const before = await run("get", "pod/db-0", "-o", `jsonpath=${uid}`);
    await run("delete", "pod/db-0");
    await until("another db-0", async () => {
      const { code, output } = await kubectl.run([
        "get",
        "pod/db-0",
        "-n",
        "shop",
        "-o",
        `jsonpath=${uid}`,
      ]);
      return code === 0 && output.toString() !== before && (await versions("db")).length === 3;
    });
    assert.deepEqual(await versions("db"), ["db-0 one", "db-1 one", "db-2 two"]);
    await until(
      "it runs",
      async () => (await told("db")).filter((line) => line === "one start").length === 4,
    );
    assert.equal(await nowRunning("db-0"), "one");
    const [current, update] = (await run("get", "sts/db", "-o", `jsonpath=${revisions}`)).split(
      " ",
    );
    assert.notEqual(current, update);
    await run(
      "patch",
      "sts/db",
      "-p",
      '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}',
    );
    await until("all of them", async () =>
      (await versions("db")).every((line) => line.endsWith(" two")),
    );
    await rolledOut("sts/db");
    assert.equal(await nowRunning("db-0"), "two");
  });

  test("OnDelete: a pod is made of the new template once it is deleted, and no other is", async () => {
    await setVersion("sts/lazy", "two");
    const status = "{.status.observedGeneration} {.metadata.generation} {.status.updatedReplicas}";
    await until("it is taken up", async () =>
      /^(\d+) \1 0$/.test(await run("get", "sts/lazy", "-o", `jsonpath=${status}`)),
    );
    assert.deepEqual(await versions("lazy"), ["lazy-0 one", "lazy-1 one"]);
    await run("delete", "pod/lazy-0");
    await until("the new one", async () => (await versions("lazy")).includes("lazy-0 two"));
    await until("it runs", async () => (await told("lazy")).includes("two start"));
    assert.deepEqual(await versions("lazy"), ["lazy-0 two", "lazy-1 one"]);
    assert.equal(await nowRunning("lazy-1"), "one");
  });

  test("with maxSurge 0 no pod runs beside those that it replaces, and the others stay meanwhile", async () => {
    await setVersion("deploy/alone", "two");
    await rolledOut("deploy/alone");
    const lines = await told("alone");
    assert.deepEqual(lines.slice(0, 3), ["one start", "one start", "one start"]);
    const counts = lines.map((_, index) => {
      const soFar = lines.slice(0, index + 1);
      return (
        soFar.filter((line) => line.endsWith("start")).length -
        soFar.filter((line) => line.endsWith("end")).length
      );
    });
    assert.equal(Math.max(...counts), 3, lines.join("\n"));
    assert.equal(Math.min(...counts.slice(2)), 2, lines.join("\n"));
    assert.equal(lines.filter((line) => line === "two start").length, 3);
  });

  test("Recreate: all old pods have ended before a new one begins", async () => {
    await setVersion("deploy/anew", "two");
    await rolledOut("deploy/anew");
    await until("both", async () => (await told("anew")).length === 6);
    assert.deepEqual(await told("anew"), [
      ...["one start", "one start", "one end", "one end", "two start", "two start"],
    ]);
  });

  test("a new pod is available once it has been ready for minReadySeconds", async () => {
    await rolledOut("deploy/slow");
    await setVersion("deploy/slow", "two");
    const status =
      "{.status.readyReplicas} {.status.updatedReplicas} {.status.unavailableReplicas}";
    const began = performance.now();
    await until(
      "the new one beside the old one",
      async () => (await versions("slow")).length === 2,
    );
    const both = await run("get", "deploy/slow", "-o", `jsonpath=${status}`);
    assert.match(both, /^[12] 1 /);
    await rolledOut("deploy/slow");
    assert.ok(performance.now() - began > 4_000);
    assert.deepEqual(
      (await versions("slow")).map((line) => line.split(" ")[1]),
      ["two"],
    );
  });

  test("a preStop hook runs before the program is asked to end; that it failed is an event", async () => {
    await setVersion("deploy/hooked", "two");
    await rolledOut("deploy/hooked");
    await until("both", async () => (await told("hooked")).includes("two start"));
    assert.deepEqual(await told("hooked"), ["one start", "hook start", "one end", "two start"]);
    const pod = (await versions("hooked"))[0]?.split(" ")[0] ?? assert.fail("a pod");
    await run("delete", "pod", pod);
    await until("its successor", async () => (await told("hooked")).length === 7);
    await rolledOut("deploy/hooked");
    const again = ["two start", "hook start", "two end", "two start"];
    assert.deepEqual((await told("hooked")).slice(3), again, "it is made anew once");
    assert.match(
      await run("get", "events"),
      /Warning\s+FailedPreStopHook\s+pod\/hooked-0\S*\s+PreStopHook failed: sh ended with 3/,
    );
  });
});
