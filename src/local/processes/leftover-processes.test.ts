import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { platform } from "node:os";
import { test } from "node:test";
import { identifyProcess } from "../../runtime/process-identity.ts";
import type { MeshState } from "../mesh-state.ts";
import { endLeftovers } from "./leftover-processes.ts";

const DATA = "/tmp/hauberk-leftover-test";

/** Looks like the enclosure of a container, as far as its command line goes. */
async function startLike(name: string, ...parameters: readonly string[]): Promise<ChildProcess> {
  const script = 'setInterval(() => {}, 1000); console.log("up")';
  const child = spawn(process.execPath, ["-e", script, "--", ...parameters], {
    argv0: name,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  await once(child.stdout, "data");
  return child;
}

const runs = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode === null && signalCode === null;

test("ends what the state file names, as long as it is the same process", async (context) => {
  const [named, reused] = await Promise.all([startLike("node"), startLike("node")]);
  context.after(() => {
    for (const child of [named, reused]) child.kill("SIGKILL");
  });
  const identity = identifyProcess(named.pid ?? 0) ?? assert.fail("it does not run");
  const state: MeshState = {
    format: 2,
    supervisor: { processId: process.pid, startedAt: "long ago" },
    cluster: "Kubernetes",
    controlPlane: "127.0.0.1:1",
    socket: "",
    workloads: [],
    processes: [
      { title: "shop/api-0 sidecar", ...identity },
      { title: "somebody else now", processId: reused.pid ?? 0, startedAt: "long ago" },
    ],
  };
  const gone = once(named, "exit");
  const ended = await endLeftovers(state, DATA);
  assert.deepEqual(
    ended.map(({ title }) => title),
    ["shop/api-0 sidecar"],
  );
  await gone;
  assert.ok(runs(reused));
});

test("ends enclosures that nobody is left to end, of this mesh and no other", {
  skip: platform() === "linux" ? false : "only Linux has enclosures",
}, async (context) => {
  const of = (data: string): string[] => [
    "--hostname",
    "api-0",
    "--bind",
    `${data}/pods/shop/api-0/tmp`,
    "/tmp",
  ];
  const own = await startLike("/usr/bin/bwrap", ...of(DATA));
  const others = await Promise.all([
    startLike("/usr/bin/bwrap", ...of(`${DATA}-of-another`)),
    startLike("/usr/bin/editor", ...of(DATA)),
  ]);
  context.after(() => {
    for (const child of [own, ...others]) child.kill("SIGKILL");
  });
  const gone = once(own, "exit");
  const ended = await endLeftovers(undefined, DATA);
  assert.deepEqual(
    ended.map(({ title, processId }) => ({ title, processId })),
    [{ title: "api-0 enclosure", processId: own.pid }],
  );
  await gone;
  assert.ok(others.every(runs));
});
