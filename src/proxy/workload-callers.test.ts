import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { peerProcessId } from "../runtime/linux-socket.ts";
import { identifyProcess } from "../runtime/process-identity.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { PinnedProcesses } from "./pinned-processes.ts";
import { isInProcessTree, processIds, processTree } from "./process-tree.ts";
import { WorkloadCallers } from "./workload-callers.ts";

const skip = process.platform === "linux" ? false : "the kernel is Linux's";
/** Connects, and stays until its input ends. */
const CLIENT = 'require("net").connect(process.argv[1]); process.stdin.resume()';
/** Starts the client below itself. */
const PARENT =
  'require("child_process").spawn(process.execPath, ["-e", process.argv[2], process.argv[1]], {stdio: "inherit"}); process.stdin.resume()';

let folder: string;
let server: Server;
let path: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  path = join(folder, "a.sock");
  server = createServer();
  await once(server.listen(path), "listening");
});
after(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** @returns the connection that a program made, and the process that was started */
async function connectionOf(
  context: TestContext,
  parameters: readonly string[],
): Promise<{ socket: Socket; processId: number }> {
  const child = spawn(process.execPath, ["-e", ...parameters], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
  const [socket] = (await once(server, "connection")) as [Socket];
  context.after(() => socket.destroy());
  return { socket, processId: child.pid ?? assert.fail() };
}

function callersOf(context: TestContext, processIds: WatchedValue<readonly number[]>) {
  const log = recordedLog();
  const processes = new PinnedProcesses(processIds);
  context.after(() => processes.close());
  return { callers: new WorkloadCallers({ processes, log }), log };
}

test("the kernel names the process that connected", { skip }, async (context) => {
  const { socket, processId } = await connectionOf(context, [CLIENT, path]);
  assert.equal(peerProcessId(socket), processId);
});

test("the pod's own processes, and those that they started, are admitted", {
  skip,
}, async (context) => {
  for (const parameters of [
    [CLIENT, path],
    [PARENT, path, CLIENT],
  ]) {
    const { socket, processId } = await connectionOf(context, parameters);
    const { callers } = callersOf(context, new WatchedValue<readonly number[]>([processId]));
    assert.equal(await callers.admit(socket), "admitted");
  }
});

test("another process of the same user is refused, and named", { skip }, async (context) => {
  const { processId } = await connectionOf(context, [CLIENT, path]);
  const { callers, log } = callersOf(context, new WatchedValue<readonly number[]>([processId]));
  const accepted = once(server, "connection");
  const client = connect(path);
  context.after(() => client.destroy());
  const [socket] = (await accepted) as [Socket];
  assert.equal(await callers.admit(socket), "refused");
  const [line] = log.find("Workload API refused");
  assert.equal(line?.fields["processId"], process.pid);
  socket.destroy();
});

test("a program that calls before its supervisor names it waits for that", {
  skip,
}, async (context) => {
  const { socket, processId } = await connectionOf(context, [CLIENT, path]);
  const processIds = new WatchedValue<readonly number[]>([]);
  const { callers } = callersOf(context, processIds);
  const verdict = callers.admit(socket);
  setTimeout(() => processIds.set([processId]), 50);
  assert.equal(await verdict, "admitted");
});

test("before the application runs nobody is admitted", { skip }, async (context) => {
  const { socket } = await connectionOf(context, [CLIENT, path]);
  const { callers } = callersOf(context, new WatchedValue<readonly number[]>([]));
  assert.equal(await callers.admit(socket), "refused");
});

test("strangers who come in crowds are refused soon, and cost the pod's own processes nothing", {
  skip,
}, async (context) => {
  const { socket: own, processId } = await connectionOf(context, [CLIENT, path]);
  const accepted = once(server, "connection");
  const client = connect(path);
  context.after(() => client.destroy());
  const [foreign] = (await accepted) as [Socket];
  const { callers } = callersOf(context, new WatchedValue<readonly number[]>([processId]));
  let settled = 0;
  const strangers = Array.from({ length: 200 }, () =>
    callers.admit(foreign).finally(() => void settled++),
  );
  assert.equal(await callers.admit(own), "admitted");
  await delay(0);
  assert.ok(settled >= 190, `${200 - settled} are kept waiting, each on a connection of the pod`);
  assert.deepEqual(new Set(await Promise.all(strangers)), new Set(["refused"]));
});

test("found from below: the same processes as found from above", { skip }, async (context) => {
  const { processId } = await connectionOf(context, [PARENT, path, CLIENT]);
  const roots = [identifyProcess(processId) ?? assert.fail()];
  const all = processIds();
  const tree = new Set(processTree(roots).map((one) => one.processId));
  assert.ok(tree.size >= 2, "the parent and the client");
  for (const one of tree) assert.equal(isInProcessTree(one, roots), true);
  for (const one of all) if (!tree.has(one)) assert.equal(isInProcessTree(one, roots), false);
  assert.equal(isInProcessTree(processId, [{ processId, startedAt: "another" }]), false);
});
