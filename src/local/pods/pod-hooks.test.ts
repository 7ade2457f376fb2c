/** Hooks of containers, in pods without a sidecar whose programs write down what happens to them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../../test/kit/eventually.ts";
import { resourcesOf } from "../../../test/kit/mesh-parts.ts";
import { podContext } from "../../../test/kit/pod-context.ts";
import { planMesh } from "../mesh-plan.ts";
import { PortAllocator } from "../port-allocator.ts";
import type { ProcessEvent } from "../processes/supervised-process.ts";
import { Pod } from "./pod.ts";

/** Says what it hears, in a file of its pod. */
const PROGRAM = `
const say = (word) => require("node:fs").appendFileSync(process.env.SAID, word + " ");
process.on("SIGTERM", () => { say("TERM"); if (!process.env.STUBBORN) process.exit(0); });
setInterval(() => {}, 1000);
say(process.env.NAME ?? "up");`;

interface Written {
  /** Fields of the first container. */
  readonly first?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Further containers, as one line of YAML each. */
  readonly others?: readonly string[];
  readonly graceSeconds?: number;
}

interface TestedPod {
  readonly pod: Pod;
  readonly events: readonly ProcessEvent[];
  readonly closing: AbortController;
  /** What the programs said so far, and what hooks did. */
  said(): Promise<string>;
  /** Where a port of the pod's is to be listened on. */
  portOf(containerPort: number): number;
}

async function podOf(context: TestContext, written: Written): Promise<TestedPod> {
  const { first = "", env = {}, others = [], graceSeconds = 30 } = written;
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  const file = join(folder, "said");
  const program = JSON.stringify([process.execPath, "-e", PROGRAM]);
  const variables = Object.entries({ ...env, SAID: file }).map(
    ([name, value]) => `{name: ${name}, value: "${value}"}`,
  );
  const container = (name: string, more: string): string =>
    `{name: ${name}, image: i, command: ${program}, env: [${variables}, {name: NAME, value: ${name}}]${more && `, ${more}`}}`;
  const resources = resourcesOf(`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      terminationGracePeriodSeconds: ${graceSeconds}
      containers:
      - ${container("app", first)}
${others.map((more, index) => `      - ${container(`app-${index + 2}`, more)}`).join("\n")}
`);
  const ports = await PortAllocator.open(join(folder, "ports.json"));
  const { pods } = await planMesh(resources, { ports, uid: (key) => key });
  const [plan] = pods;
  if (plan === undefined) throw new Error("one pod is expected");
  const events: ProcessEvent[] = [];
  const closing = new AbortController();
  const pod = new Pod(
    plan,
    podContext(
      { folder, resources },
      {
        workloads: () => [plan.workload],
        report: (_, event) => events.push(event),
        closing: closing.signal,
      },
    ),
  );
  context.after(async () => {
    closing.abort();
    await pod.stop();
    await ports.release();
    await rm(folder, { recursive: true });
  });
  return {
    pod,
    events,
    closing,
    said: () => readFile(file, "utf8").catch(() => ""),
    portOf: (wanted) =>
      plan.workload.ports.find(({ containerPort }) => containerPort === wanted)?.application.port ??
      assert.fail("a port of the pod"),
  };
}

const exec = (script: string): string =>
  `{exec: {command: [sh, -c, "${script.replaceAll('"', '\\"')}"]}}`;
const say = (word: string): string => `printf '${word} ' >> $SAID`;
const hooksFailed = (events: readonly ProcessEvent[]) =>
  events.flatMap((event) => (event.type === "hook-failed" ? [[event.hook, event.problem]] : []));

async function elapsed(work: () => Promise<void>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}

/** They wait most of the time. */
describe("hooks", { concurrency: true }, () => {
  test("preStop runs before the program is asked to end", async (context) => {
    const first = `lifecycle: {preStop: ${exec(`${say("preStop")}; sleep 0.2; ${say("over")}`)}}`;
    const { pod, said, events } = await podOf(context, { first });
    await pod.start();
    await eventually("the program", async () => (await said()) === "app ");
    await pod.stop();
    assert.equal(await said(), "app preStop over TERM ");
    assert.deepEqual(hooksFailed(events), []);
  });

  test("a pod is not ready from the moment that it is to end", async (context) => {
    const first = `lifecycle: {preStop: ${exec(say("preStop"))}}`;
    const { pod } = await podOf(context, { first });
    await pod.start();
    assert.equal(pod.ready, true);
    const stopped = pod.stop();
    assert.equal(pod.ready, false);
    await stopped;
  });

  for (const [what, hook, problem] of [
    ["ends with a fault", exec("exit 3"), "sh ended with 3"],
    ["takes longer than there is time", exec("sleep 600"), "it did not end in time"],
    ["asks a port that is not there", "{httpGet: {port: 1}}", "port 1 is not a port of the pod"],
  ] as const) {
    test(`a preStop hook that ${what} is told, and the program ends all the same`, async (context) => {
      const first = `lifecycle: {preStop: ${hook}}`;
      const { pod, said, events } = await podOf(context, { first, graceSeconds: 1 });
      await pod.start();
      await eventually("the program", async () => (await said()) === "app ");
      await pod.stop();
      assert.deepEqual(hooksFailed(events), [["preStop", problem]]);
      assert.equal(pod.containers[0]?.problem, `preStop hook: ${problem}`);
      assert.equal(await said(), "app TERM ", "asked to, before it is made to");
    });
  }

  test("what the hook takes is no longer there for the program", async (context) => {
    const first = "lifecycle: {preStop: {sleep: {seconds: 3}}}";
    const env = { STUBBORN: "yes" };
    const { pod, said } = await podOf(context, { first, env, graceSeconds: 6 });
    await pod.start();
    await eventually("the program", async () => (await said()) === "app ");
    const ms = await elapsed(() => pod.stop());
    assert.ok(ms >= 5_900 && ms < 8_500, `${ms} ms`);
    assert.equal(await said(), "app TERM ");
  });

  test("whoever deletes a pod may leave it less time, and then no more", async (context) => {
    const first = "lifecycle: {preStop: {sleep: {seconds: 1}}}";
    const env = { STUBBORN: "yes" };
    const { pod, said } = await podOf(context, { first, env, graceSeconds: 600 });
    await pod.start();
    await eventually("the program", async () => (await said()) === "app ");
    for (const container of pod.containers) container.allow(3);
    const ms = await elapsed(() => pod.stop());
    assert.ok(ms >= 2_900 && ms < 60_000, `${ms} ms`);
  });

  test("a program that was asked to end already has no longer than is left to it", async (context) => {
    const { pod, said } = await podOf(context, { env: { STUBBORN: "yes" }, graceSeconds: 600 });
    await pod.start();
    await eventually("the program", async () => (await said()) === "app ");
    const stopped = pod.stop();
    await eventually("the request", async () => (await said()) === "app TERM ");
    for (const container of pod.containers) container.allow(2);
    assert.ok((await elapsed(() => stopped)) < 60_000);
  });

  test("whoever deletes it once more while its hook runs may leave it less time from then on", async (context) => {
    const first = "lifecycle: {preStop: {sleep: {seconds: 20}}}";
    const { pod, said, events } = await podOf(context, { first });
    await pod.start();
    await eventually("the program", async () => (await said()) === "app ");
    const ms = await elapsed(async () => {
      const stopped = pod.stop();
      await delay(200);
      for (const container of pod.containers) container.allow(1);
      await stopped;
    });
    assert.ok(ms < 10_000, String(ms));
    assert.deepEqual(hooksFailed(events), [["preStop", "it did not end in time"]]);
    assert.equal(await said(), "app TERM ");
  });

  test("a container after one with a hook that cannot be started is not ready, and told", async (context) => {
    const first = `lifecycle: {postStart: ${exec(say("postStart"))}}`;
    const { pod, events } = await podOf(context, {
      first,
      others: ["workingDir: /no/such/folder"],
    });
    await pod.start();
    await eventually("what is wrong", () => events.some(({ type }) => type === "failed"));
    assert.equal(pod.ready, false);
    assert.equal(pod.containers[1]?.ready, false);
  });

  test("a container that its liveness probe gives up has as long as the probe says", async (context) => {
    const probe =
      "{exec: {command: [sh, -c, test ! -s $SAID]}, failureThreshold: 1, periodSeconds: 1, terminationGracePeriodSeconds: 2}";
    const first = `livenessProbe: ${probe}`;
    const { pod, said } = await podOf(context, {
      first,
      env: { STUBBORN: "yes" },
      graceSeconds: 600,
    });
    await pod.start();
    await eventually("another run", () => (pod.containers[0]?.process.restarts ?? 0) > 0);
    assert.equal(await said(), "app TERM ");
    for (const container of pod.containers) container.allow(2);
  });

  test("a program that ended by itself ends its hook", async (context) => {
    const first = "lifecycle: {preStop: {sleep: {seconds: 25}}}";
    const { pod, said, events } = await podOf(context, { first });
    await pod.start();
    await eventually("the program", async () => (await said()) === "app ");
    const stopped = pod.stop();
    const processId = pod.containers[0]?.process.processId ?? assert.fail("it runs");
    process.kill(processId, "SIGKILL");
    assert.ok((await elapsed(() => stopped)) < 15_000);
    assert.deepEqual(hooksFailed(events), []);
  });

  test("when all pods end, no hook and no program has more than ten seconds", async (context) => {
    const first = "lifecycle: {preStop: {sleep: {seconds: 600}}}";
    const { pod, closing, said, events } = await podOf(context, { first, graceSeconds: 600 });
    await pod.start();
    await eventually("the program", async () => (await said()) === "app ");
    const stopped = pod.stop();
    closing.abort();
    const ms = await elapsed(() => stopped);
    assert.ok(ms > 9_000 && ms < 60_000, `${ms} ms`);
    assert.deepEqual(hooksFailed(events), [["preStop", "it did not end in time"]]);
  });

  test("hooks over HTTP reach the port of the pod, and any answer will do", async (context) => {
    const get = (path: string): string =>
      `{httpGet: {path: ${path}, port: http, httpHeaders: [{name: X-Why, value: hook}]}}`;
    const first = `ports: [{name: http, containerPort: 8080}], lifecycle: {postStart: ${get("/start")}, preStop: ${get("/stop")}}`;
    const { pod, portOf, events } = await podOf(context, { first });
    const asked: (readonly [string | undefined, IncomingHttpHeaders])[] = [];
    const server = createServer(({ url, headers }, response) => {
      asked.push([url, headers]);
      response.writeHead(500).end();
    });
    context.after(() => server.close());
    await once(server.listen(portOf(8080), "127.0.0.1"), "listening");
    await pod.start();
    await eventually("its readiness", () => pod.ready);
    await pod.stop();
    assert.deepEqual(
      asked.map(([url, headers]) => [url, headers["user-agent"], headers["x-why"]]),
      [
        ["/start", "kube-lifecycle/hauberk", "hook"],
        ["/stop", "kube-lifecycle/hauberk", "hook"],
      ],
    );
    assert.deepEqual(hooksFailed(events), []);
  });

  test("a container is not ready before its postStart hook is over, and those after it do not run", async (context) => {
    const gate = `while ! test -e $SAID.go; do sleep 0.05; done; ${say("postStart")}`;
    const first = `lifecycle: {postStart: ${exec(gate)}}`;
    const { pod, said } = await podOf(context, { first, others: ["", ""] });
    await pod.start();
    await eventually("the program", async () => (await said()) === "app ");
    assert.equal(pod.ready, false);
    const [, second] = pod.containers;
    assert.equal(second?.process.processId, undefined);
    const file =
      pod.containers[0]?.launchBeside(["true"]).environment["SAID"] ?? assert.fail("said");
    await writeFile(`${file}.go`, "");
    await eventually("all programs", async () => /app-2.*app-3|app-3.*app-2/.test(await said()));
    assert.match(await said(), /^app postStart app-/);
    assert.equal(pod.ready, true);
  });

  test("a container whose postStart hook fails is started again", async (context) => {
    const failing = `test -e $SAID.was && exit 0; touch $SAID.was; exit 7`;
    const first = `lifecycle: {postStart: ${exec(failing)}, preStop: ${exec(say("preStop"))}}`;
    const { pod, events } = await podOf(context, { first });
    await pod.start();
    assert.equal(pod.ready, false);
    await eventually("its readiness", () => pod.ready);
    assert.equal(pod.containers[0]?.process.restarts, 1);
    assert.deepEqual(hooksFailed(events), [["postStart", "sh ended with 7"]]);
    assert.equal(pod.containers[0]?.problem, undefined);
  });

  test("a pod that ends while a postStart hook runs waits for nothing", async (context) => {
    const first = `lifecycle: {postStart: {sleep: {seconds: 20}}}`;
    const { pod, events, said } = await podOf(context, { first, others: [""] });
    await pod.start();
    await eventually("the program", async () => (await said()) === "app ");
    assert.ok((await elapsed(() => pod.stop())) < 15_000);
    assert.equal(await said(), "app TERM ", "the other never ran");
    assert.deepEqual(
      events.map(({ type }) => type),
      ["started"],
    );
  });
});
