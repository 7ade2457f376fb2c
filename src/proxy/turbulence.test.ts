/** Everything that can break off breaks off at random: the sidecars must neither fall over nor keep anything. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  portOf,
  startTestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";

const CALLS = 240;
const AT_ONCE = 24;

/** The same sequence in every run. */
function pseudoRandom(): () => number {
  let state = 12345;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

test("240 calls with failures on every side: one log line each, and nothing is left open", async () => {
  const mesh = createThrowawayAuthority();
  const rootsPem = [mesh.rootPem];
  const random = pseudoRandom();
  const applicationSockets = new Set<Socket>();
  const application = createServer((incoming, response) => {
    const fate = random();
    if (fate < 0.1) incoming.socket.destroy();
    else if (fate < 0.2) response.write("half", () => incoming.socket.destroy());
    else if (fate < 0.3) response.end("early");
    else if (fate < 0.4) setTimeout(() => incoming.pipe(response), 5);
    else incoming.pipe(response);
  });
  application.on("connection", (socket: Socket) => {
    applicationSockets.add(socket);
    socket.on("close", () => applicationSockets.delete(socket));
  });
  application.listen(0, LOOPBACK);
  await once(application, "listening");
  const [port, outbound] = [await freePort(), await freePort()];
  const ports = [inboundPort({ listen: port, application: portOf(application) })];
  const open = workloadView({ rootsPem, ports });
  const policies = [policy("DENY", "no-puts", { to: [{ methods: ["PUT"] }] })];
  const shut = workloadView({ rootsPem, ports, policies });
  const api = await startTestSidecar({ view: open, svid: mesh.svid(idOf("api")) });
  const frontend = await startTestSidecar({
    view: workloadView({
      name: "frontend",
      rootsPem,
      destinations: [destination({ name: "api", port, listen: outbound })],
    }),
    svid: mesh.svid(idOf("frontend")),
  });

  const call = async (index: number): Promise<void> => {
    const method = random() < 0.3 ? "GET" : "PUT";
    const headers = { "x-request-id": `call-${index}`, connection: "close" };
    const outgoing = request({ port: outbound, host: LOOPBACK, method, headers, agent: false });
    const over = new Promise<void>((resolve) => outgoing.once("close", () => resolve()));
    outgoing.on("error", () => outgoing.destroy());
    outgoing.on("response", (reply) => reply.on("error", () => outgoing.destroy()).resume());
    if (random() < 0.1) setTimeout(() => outgoing.destroy(), random() * 20);
    if (method === "PUT") outgoing.write(Buffer.alloc(Math.floor(random() * 300_000)));
    outgoing.end();
    await over;
  };
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < CALLS) {
      const index = next++;
      if (index % 25 === 0) api.views.set(random() < 0.5 ? open : shut);
      if (index % 60 === 30) api.svid.set(mesh.svid(idOf("api")));
      if (index % 60 === 59) frontend.svid.set(mesh.svid(idOf("frontend")));
      await call(index);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));

  await eventually("every call to be over", () => {
    const opened = frontend.entries.filter(({ reporter }) => reporter === "source");
    return opened.length > CALLS / 2 && api.entries.length > CALLS / 2;
  });
  await delay(100);
  const ids = frontend.entries.map(({ request_id }) => request_id).filter((id) => id !== null);
  assert.equal(ids.length, new Set(ids).size);
  assert.ok(ids.length > CALLS * 0.8, `${ids.length} of ${CALLS} calls are in the log`);
  const statuses = new Set(api.entries.map(({ response_code }) => response_code));
  for (const status of [200, 403, 503]) assert.ok(statuses.has(status), `no ${status} was seen`);
  for (const { log } of [api, frontend]) {
    assert.deepEqual(
      log.lines.filter(({ level }) => level === "error"),
      [],
    );
  }
  const started = performance.now();
  await Promise.all([api.sidecar.close(), frontend.sidecar.close()]);
  assert.ok(performance.now() - started < 4_000, "something was still open");
  await eventually("the application's connections to close", () => applicationSockets.size === 0);
  application.close();
});
