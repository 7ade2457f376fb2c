import assert from "node:assert/strict";
import { test } from "node:test";
import { askAdmin } from "../../test/kit/ask-admin.ts";
import { freePort } from "../../test/kit/free-port.ts";
import { idOf, startTestSidecar, workloadView } from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { silentLog } from "../runtime/log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { AdminServer } from "./admin-server.ts";

const mesh = createThrowawayAuthority();

test("over TCP a serving sidecar tells that it is ready, and its metrics, under both names", async () => {
  const view = workloadView({ rootsPem: [mesh.rootPem] });
  const { adminPort, sidecar } = await startTestSidecar({ view, svid: mesh.svid(idOf("api")) });
  for (const path of ["/ready", "/healthz/ready"]) {
    const { status, body } = await askAdmin(adminPort, { path });
    assert.deepEqual([status, body], [200, "ready\n"]);
  }
  for (const path of ["/metrics", "/stats/prometheus"]) {
    const { body } = await askAdmin(adminPort, { path });
    assert.match(body, /^hauberk_certificate_expiry_seconds \d+/m);
  }
  await sidecar.close();
  await assert.rejects(askAdmin(adminPort, { path: "/ready" }));
});

const elsewhere = [
  "/",
  "/certs",
  "/clusters",
  "/config_dump",
  "/drain",
  "/listeners",
  "/logging",
  "/stats",
  "/ready/",
  "//ready",
  "/ready%2f..%2fcerts",
  "http://localhost/certs",
];

test("over TCP nothing else is told, and nothing is changed; the way to the rest is", async () => {
  const port = await freePort();
  const admin = new AdminServer({
    port,
    state: () => "starting",
    metrics: createMetrics(),
    log: silentLog,
  });
  await admin.open();
  assert.equal((await askAdmin(port, { path: "/ready" })).status, 503);
  for (const path of elsewhere) {
    const { status, body } = await askAdmin(port, { path });
    assert.deepEqual([path, status], [path, 404]);
    assert.match(body, /Unix socket alone: `hauberk proxy-config/);
  }
  for (const path of ["/ready", "/drain", "/logging?level=debug"]) {
    for (const method of ["POST", "PUT", "DELETE", "HEAD"]) {
      const { status, allow } = await askAdmin(port, { path, method });
      assert.deepEqual([status, allow], [405, "GET"]);
    }
  }
  assert.equal((await askAdmin(port, { path: "/ready", host: "rebound.example" })).status, 421);
  await admin.close();
});
