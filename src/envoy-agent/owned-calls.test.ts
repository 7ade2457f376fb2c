import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { destination, LOOPBACK, workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { Ownership, WorkloadOwnership } from "../proxy/workload-ownership.ts";
import { systemClock } from "../runtime/clock.ts";
import { foreignCalls } from "./foreign-calls.ts";
import { OwnedCalls } from "./owned-calls.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  await mkdir(join(folder, "calls"));
});
after(() => rm(folder, { recursive: true }));

const OWN: Ownership = { owner: "own-workload" };
const FOREIGN: Ownership = { owner: "foreign", problem: "the caller is no process of the pod" };

function callsOf(context: TestContext, owner: Ownership | "cannot tell") {
  const log = recordedLog();
  const ownership: Pick<WorkloadOwnership, "of"> | undefined =
    owner === "cannot tell" ? undefined : { of: () => Promise.resolve(owner) };
  const lines: string[] = [];
  const onForeign = foreignCalls((line) => lines.push(line), systemClock);
  const calls = new OwnedCalls({ folder, ownership, onForeign, log, clock: systemClock });
  context.after(() => calls.close());
  return { calls, log, lines };
}

function viewOf(...ports: readonly number[]): WorkloadView {
  const destinations = ports.map((listen) => destination({ name: "api", port: 1, listen }));
  return workloadView({ rootsPem: [], destinations });
}

/** Envoy's listener for a port: says what it hears. */
async function envoyAt(context: TestContext, port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  await once(server.listen(join(folder, "calls", `${LOOPBACK}_${port}`)), "listening");
  context.after(() => server.close());
  return server;
}

async function say(port: number, text: string): Promise<string> {
  const socket = connect({ host: LOOPBACK, port });
  socket.end(text);
  return await heard(socket);
}

async function heard(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part)).on("error", () => undefined);
  await once(socket, "close");
  return Buffer.concat(parts).toString();
}

test("what the pod's own processes say comes to Envoy, and back", async (context) => {
  const port = await freePort();
  const { calls } = callsOf(context, OWN);
  await envoyAt(context, port);
  await calls.apply(viewOf(port));
  assert.equal(await say(port, "hello"), "hello");
});

test("another's connection is closed unheard, and told", async (context) => {
  const port = await freePort();
  const { calls, log, lines } = callsOf(context, FOREIGN);
  const envoy = await envoyAt(context, port);
  let reached = 0;
  envoy.on("connection", () => reached++);
  await calls.apply(viewOf(port));
  assert.equal(await say(port, "hello"), "");
  assert.equal(reached, 0);
  const [line] = log.find("foreign process refused");
  assert.equal(line?.fields["listener"], `${LOOPBACK}:${port}`);
  const [entry] = lines.map((written) => JSON.parse(written));
  assert.equal(entry?.downstream_local_address, `${LOOPBACK}:${port}`);
  assert.deepEqual(entry?.decision.reason, {
    because: "not-own-workload",
    problem: "the caller is no process of the pod",
  });
});

test("where nobody tells whose a connection is, no port is opened", async (context) => {
  const port = await freePort();
  const { calls, log } = callsOf(context, "cannot tell");
  await calls.apply(viewOf(port));
  await assert.rejects(once(connect({ host: LOOPBACK, port }), "connect"), {
    code: "ECONNREFUSED",
  });
  assert.equal(log.find("outbound ports stay closed").length, 1);
});

test("ports follow the view; a connection that stands goes on", async (context) => {
  const [first, second] = [await freePort(), await freePort()];
  const { calls } = callsOf(context, OWN);
  await envoyAt(context, first);
  await envoyAt(context, second);
  await calls.apply(viewOf(first));
  const standing = connect({ host: LOOPBACK, port: first });
  standing.write("a");
  await once(standing, "data");
  await calls.apply(viewOf(second));
  assert.equal(await say(second, "hello"), "hello");
  await eventually("the end of the port", () => isClosed(first));
  standing.end("b");
  assert.equal(await heard(standing), "b");
});

test("a port that is there before Envoy's socket waits for it", async (context) => {
  const port = await freePort();
  const { calls } = callsOf(context, OWN);
  await calls.apply(viewOf(port));
  const answer = say(port, "hello");
  await envoyAt(context, port);
  assert.equal(await answer, "hello");
});

async function isClosed(port: number): Promise<boolean> {
  const socket = connect({ host: LOOPBACK, port });
  try {
    await once(socket, "connect");
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}
