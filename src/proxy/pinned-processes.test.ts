import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { identifyProcess } from "../runtime/process-identity.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { PinnedProcesses } from "./pinned-processes.ts";
import { processTree } from "./process-tree.ts";
import { canTellOwners } from "./workload-ownership.ts";

const linux = { skip: !canTellOwners() && "this system does not tell who owns a connection" };
const self = identifyProcess(process.pid) ?? assert.fail("this process runs");
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill();
});

/** A program that runs until its standard input ends. */
function sleeper(): ChildProcess & { readonly pid: number } {
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  children.push(child);
  return Object.assign(child, { pid: child.pid ?? assert.fail("no process was started") });
}

test("a number means the process it named first, until it is withdrawn", linux, async () => {
  const child = sleeper();
  const ids = new WatchedValue<readonly number[]>([child.pid]);
  const pinned = new PinnedProcesses(ids);
  const before = pinned.current;
  assert.deepEqual(before, [identifyProcess(child.pid)]);
  child.kill();
  await once(child, "exit");
  ids.set([child.pid, process.pid]);
  assert.deepEqual(pinned.current, [...before, self]);
  ids.set([process.pid]);
  ids.set([child.pid, process.pid]);
  assert.deepEqual(pinned.current, [self]);
  pinned.close();
  ids.set([]);
  assert.deepEqual(pinned.current, [self]);
});

test("a tree holds what its root started, and no stranger", linux, () => {
  const [one, other] = [sleeper(), sleeper()];
  const numbers = (roots: Parameters<typeof processTree>[0]): readonly number[] =>
    processTree(roots).map(({ processId }) => processId);
  const tree = numbers([self]);
  for (const id of [process.pid, one.pid, other.pid]) assert.ok(tree.includes(id), String(id));
  assert.deepEqual(numbers([identifyProcess(one.pid) ?? assert.fail("it runs")]), [one.pid]);
});

test("a number that another process has by now is no root", linux, () => {
  sleeper();
  assert.deepEqual(processTree([{ ...self, startedAt: "1" }]), []);
  assert.ok(processTree([self]).length > 1);
});
