import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { accessLogEntry } from "../../../test/kit/access-log-entry.ts";
import { eventually } from "../../../test/kit/eventually.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import { logsCommand } from "./logs.ts";

/** Runs after two rollouts of `api`, of which one is under way; `api` of another namespace has one pod. */
const RUNNING = [
  { namespace: "production", name: "api-0-b", owner: "api" },
  { namespace: "production", name: "web-0", owner: "web" },
  { namespace: "production", name: "other-1", owner: "shown" },
  { namespace: "staging", name: "api-0", owner: "api" },
];
const LOGS = [
  "production/api-0",
  "production/api-0-b",
  "production/other-1",
  "production/web-0",
  "staging/api-0",
];

interface Mesh {
  readonly data: string;
  write(pod: string): Promise<void>;
}

async function createMesh(context: TestContext): Promise<Mesh> {
  const data = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(data, { recursive: true }));
  const supervisor = { processId: process.pid, startedAt: "" };
  await writeFile(
    new DataDirectory(data).meshState,
    JSON.stringify({ format: 2, supervisor, processes: [], workloads: RUNNING }),
  );
  const write = async (pod: string): Promise<void> => {
    await mkdir(join(data, "logs", pod), { recursive: true });
    const line = JSON.stringify(accessLogEntry());
    await writeFile(join(data, "logs", pod, "access.log"), `${line}\n`);
  };
  for (const pod of LOGS) await write(pod);
  return { data, write };
}

const ASKED: readonly (readonly [asked: string | undefined, pods: readonly string[]])[] = [
  [undefined, LOGS],
  ["production/api", ["production/api-0", "production/api-0-b"]],
  ["api", ["production/api-0", "production/api-0-b", "staging/api-0"]],
  ["production/api-0", ["production/api-0"]],
  ["api-0-b", ["production/api-0-b"]],
  ["production/shown", ["production/other-1"]],
];

for (const [asked, pods] of ASKED) {
  test(`logs of ${asked ?? "all"} are those of ${pods.join(", ")}`, async (context) => {
    const { data } = await createMesh(context);
    assert.deepEqual((await podsTold(data, asked)).sort(), pods);
  });
}

test("a name that no pod has or had is refused", async (context) => {
  const { data } = await createMesh(context);
  for (const asked of ["staging/web", "production/other", "production/ap"])
    await assert.rejects(
      podsTold(data, asked),
      /^\w*Error: no logs of .*; known: production\/api-0,/,
    );
});

test("a pod that begins while its Deployment is followed is told too", async (context) => {
  const { data, write } = await createMesh(context);
  const ending = new AbortController();
  const told: string[] = [];
  context.after(() => ending.abort());
  const followed = podsTold(data, "staging/api", { told, signal: ending.signal });
  await eventually("the log of the pod that runs", () => told.includes("staging/api-0"));
  await write("staging/api-0-b");
  await eventually("the log of the next pod", () => told.includes("staging/api-0-b"));
  ending.abort();
  assert.deepEqual(await followed, ["staging/api-0", "staging/api-0-b"]);
});

async function podsTold(
  data: string,
  asked: string | undefined,
  { told = [], signal }: { readonly told?: string[]; readonly signal?: AbortSignal } = {},
): Promise<string[]> {
  await logsCommand(asked, {
    options: { data, json: true, tail: 100, follow: signal !== undefined },
    print: (line) => void told.push(JSON.parse(line).pod),
    warn: (line) => assert.fail(line),
    signal: signal ?? new AbortController().signal,
  });
  return told;
}
