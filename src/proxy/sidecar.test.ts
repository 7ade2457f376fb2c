import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  idOf,
  inboundPort,
  LOOPBACK,
  portOf,
  startTestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { systemClock } from "../runtime/clock.ts";
import { ListenError } from "../runtime/listen-error.ts";
import { silentLog } from "../runtime/log.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { startSidecar } from "./sidecar.ts";

const mesh = createThrowawayAuthority();
const svid = mesh.svid(idOf("api"));

async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ port, host: LOOPBACK });
  const opened = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  });
  socket.destroy();
  return opened;
}

const viewOf = (...listen: readonly number[]): WorkloadView => {
  const ports = listen.map((port) =>
    inboundPort({ listen: port, application: 1, protocol: "tcp" }),
  );
  return workloadView({ rootsPem: [mesh.rootPem], ports });
};

test("nothing is served before there is a certificate and a view", async () => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const certificates = new WatchedValue<X509Svid | undefined>(undefined);
  const views = new WatchedValue<WorkloadView | undefined>(viewOf(port));
  const readiness = async (): Promise<number> =>
    (await fetch(`http://${LOOPBACK}:${adminPort}/healthz/ready`)).status;
  const starting = startSidecar({
    namespace: "production",
    name: "api-0",
    adminPort,
    proxyPassword: "secret",
    svid: certificates,
    views,
    applicationProcessIds: new WatchedValue([process.pid]),
    accessLog: () => assert.fail("nothing can have happened yet"),
    log: silentLog,
    clock: systemClock,
    random: () => 0,
  });
  while (!(await isOpen(adminPort)));
  assert.equal(await readiness(), 503);
  assert.equal(await isOpen(port), false);
  certificates.set(svid);
  const sidecar = await starting;
  assert.equal(await readiness(), 200);
  assert.equal(await isOpen(port), true);
  await sidecar.close();
  assert.equal(await isOpen(port), false);
});

test("a sidecar that cannot open a port of its first view does not start", async () => {
  const holder = createServer().listen(0, LOOPBACK);
  await once(holder, "listening");
  await assert.rejects(startTestSidecar({ view: viewOf(portOf(holder)), svid }), ListenError);
  holder.close();
});

test("a port of a later view that cannot be opened is tried again; the others serve meanwhile", async () => {
  const holder = createServer().listen(0, LOOPBACK);
  await once(holder, "listening");
  const [first, second] = [await freePort(), await freePort()];
  const { sidecar, views, log } = await startTestSidecar({ view: viewOf(first), svid });
  views.set(viewOf(first, portOf(holder), second));
  await eventually("the complaint", () => log.find("listener not opened").length > 0);
  assert.equal(await isOpen(first), true);
  assert.equal(await isOpen(second), true);
  const port = portOf(holder);
  holder.close();
  await once(holder, "close");
  const deadline = Date.now() + 5_000;
  while (!(await isOpen(port)) && Date.now() < deadline);
  assert.equal(await isOpen(port), true);
  await sidecar.close();
});

test("a certificate that cannot be used leaves the last good one in place", async () => {
  const port = await freePort();
  const started = await startTestSidecar({ view: viewOf(port), svid });
  started.svid.set({ ...mesh.svid(idOf("api")), certificateChainPem: "not a certificate" });
  assert.equal(started.log.find("credentials refused").length, 1);
  assert.equal(await isOpen(port), true);
  await started.sidecar.close();
});
