/** A sidecar runs for months: what thousands of requests leave behind must not grow with their number. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  portOf,
  startTestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";

const REQUESTS_A_HALF = 1_500;
const AT_ONCE = 16;
/** 4 KiB a request. */
const MAX_GROWTH_BYTES = REQUESTS_A_HALF * 4 * 1024;
const MAX_NATIVE_GROWTH_BYTES = REQUESTS_A_HALF * 24 * 1024;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

interface Footprint {
  readonly heap: number;
  readonly resident: number;
}

async function footprint(): Promise<Footprint> {
  for (let round = 0; round < 4; round++) {
    await nextTurn();
    collect();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}

async function callThrough(port: number, count: number): Promise<void> {
  const kept = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const call = async (agent: Agent | false): Promise<void> => {
    const headers = agent === false ? { connection: "close" } : {};
    const outgoing = request({ port, host: LOOPBACK, agent, headers }).end();
    const [reply] = await once(outgoing, "response");
    reply.resume();
    await once(reply, "close");
    assert.equal(reply.statusCode, 200);
  };
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await call(next++ % 2 === 0 ? kept : false);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  kept.destroy();
}

test("the second half of the requests leaves no more behind than the first", async (context) => {
  const mesh = createThrowawayAuthority();
  const rootsPem = [mesh.rootPem];
  const application = createServer((_incoming, response) => response.end("ok"));
  await once(application.listen(0, LOOPBACK), "listening");
  const [port, listen] = [await freePort(), await freePort()];
  const ports = [inboundPort({ listen: port, application: portOf(application) })];
  const api = await startTestSidecar({
    view: workloadView({ rootsPem, ports }),
    svid: mesh.svid(idOf("api")),
    keep: "nothing",
  });
  const destinations = [destination({ name: "api", port, listen })];
  const frontend = await startTestSidecar({
    view: workloadView({ name: "frontend", rootsPem, destinations }),
    svid: mesh.svid(idOf("frontend")),
    keep: "nothing",
  });
  await callThrough(listen, REQUESTS_A_HALF);
  const first = await footprint();
  await callThrough(listen, REQUESTS_A_HALF);
  const second = await footprint();
  const grown = second.heap - first.heap;
  const resident = second.resident - first.resident;
  context.diagnostic(`heap ${first.heap} bytes, then ${grown} more; resident ${resident} more`);
  await Promise.all([api.sidecar.close(), frontend.sidecar.close()]);
  application.close();
  assert.ok(grown < MAX_GROWTH_BYTES, `the heap has grown by ${grown} bytes`);
  assert.ok(resident < MAX_NATIVE_GROWTH_BYTES, `the process has grown by ${resident} bytes`);
});
