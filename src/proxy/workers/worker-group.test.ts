import assert from "node:assert/strict";
import cluster from "node:cluster";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../../test/kit/eventually.ts";
import { recordedLog } from "../../../test/kit/recorded-log.ts";
import { DEFAULT_LOG_LEVEL } from "../../runtime/log.ts";
import { WatchedValue } from "../../runtime/watched.ts";
import { GroupMetrics } from "./group-metrics.ts";
import { WorkerGroup } from "./worker-group.ts";

const LOADING_MS = 300;
/**
 * It hears as late as a program that takes its time to load. The first ends with the second answer about its metrics,
 * while the other's is awaited.
 */
const WORKER = `
  import { setTimeout as delay } from "node:timers/promises";
  const number = Number.parseInt(process.env.HAUBERK_SIDECAR_PROCESS);
  let count = 4;
  await delay(${LOADING_MS});
  const send = (answer) => process.send(answer);
  process.on("message", async ({ type, id, path }) => {
    if (type === "stop") process.exit(0);
    if (type === "hold-logs") send({ type: "logs-held", id });
    if (type !== "ask") return;
    if (number === 2) await delay(400);
    if (path === "/stats") count++;
    const body = "# TYPE a_total counter\\na_total{of=\\"" + number + "\\"} " + count + "\\n";
    const page = { status: path === "/stats" ? 200 : 503, contentType: "", body };
    process.send({ type: "answer", id, page }, () => {
      if (number === 1 && count === 6) process.exit(1);
    });
  });
  send({ type: "hears" });
`;

const BOOTSTRAP = {
  type: "bootstrap",
  namespace: "shop",
  name: "api-0",
  token: "",
  rootPem: "",
  controlPlane: "",
  adminPort: 0,
  proxyPassword: "",
  certificateLifetimeSeconds: 3_600,
} as const;

async function startGroup(context: TestContext, workers: number) {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  const exec = join(folder, "worker.mjs");
  await writeFile(exec, WORKER);
  cluster.setupPrimary({ exec, args: [], execArgv: [], stdio: [0, 1, 2, "pipe", "ipc"] });
  const metrics = new GroupMetrics();
  const group = new WorkerGroup({
    workers,
    logLevel: new WatchedValue(DEFAULT_LOG_LEVEL),
    onFullLog: () => {},
    onEnd: (number) => metrics.end(number),
    log: recordedLog(),
    random: () => 0,
  });
  context.after(async () => {
    await group.stop();
    await rm(folder, { recursive: true });
  });
  void group.start(BOOTSTRAP);
  return { group, exposition: metrics.of(group).exposition };
}

test("what a worker is told while it loads, it hears once it has: it ends when it is asked to", async (context) => {
  const { group } = await startGroup(context, 1);
  await answering(group);
  process.kill(group.workers[0]?.current?.processId ?? 0, "SIGKILL");
  await eventually("another", () => group.workers[0]?.restarts === 1);
  const processId = group.workers[0]?.current?.processId ?? 0;
  const heard = await Promise.race([
    group.stop().then(() => true),
    delay(10_000, false, { ref: false }),
  ]);
  if (!heard) process.kill(processId, "SIGKILL");
  assert.ok(heard);
});

test("none is started while the logs are held", async (context) => {
  const { group } = await startGroup(context, 1);
  const [place] = group.workers;
  await group.whileLogsAreHeld(async () => {
    process.kill(place?.current?.processId ?? 0, "SIGKILL");
    await eventually("its end", () => place?.current === undefined);
    await delay(LOADING_MS);
    assert.equal(place?.current, undefined);
  });
  await eventually("another", () => place?.current);
});

test("no counter goes back, nor does one count twice, when a worker ends while others are still asked", async (context) => {
  const { group, exposition } = await startGroup(context, 2);
  for (const [index, expected] of [5, 6, 11, 12, 17].entries()) {
    await answering(group);
    const text = await exposition();
    assert.match(text, new RegExp(`^a_total\\{of="1"\\} ${expected}$`, "m"));
    assert.match(text, new RegExp(`^a_total\\{of="2"\\} ${5 + index}$`, "m"));
  }
});

test("whether anybody takes it is known of POST /drain; where nobody is left, all is drained", async (context) => {
  const { group } = await startGroup(context, 1);
  await answering(group);
  assert.equal(await group.drain(), false);
  process.kill(group.workers[0]?.current?.processId ?? 0, "SIGKILL");
  await eventually("its end", () => group.workers[0]?.current === undefined);
  assert.equal(await group.drain(), true);
});

const QUESTION = { method: "GET", path: "/ready", parameters: new URLSearchParams() };

function answering(group: WorkerGroup): Promise<boolean> {
  return eventually("answers of all", async () => {
    const replies = await group.askAll(QUESTION);
    return replies.every(({ page }) => page !== undefined);
  });
}
