import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import { freePort } from "../../test/kit/free-port.ts";
import { idOf, LOOPBACK, startTestSidecar, workloadView } from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { silentLog } from "../runtime/log.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { AdminServer } from "./admin-server.ts";

const mesh = createThrowawayAuthority();

async function ask(
  port: number,
  options: { readonly path: string; readonly method?: string; readonly host?: string },
): Promise<{ readonly status: number; readonly body: string }> {
  const { path, method = "GET", host = "localhost" } = options;
  const headers = { host };
  const outgoing = request({ port, host: LOOPBACK, path, method, headers, agent: false }).end();
  const [incoming] = await once(outgoing, "response");
  let body = "";
  for await (const chunk of incoming) body += chunk;
  return { status: incoming.statusCode, body };
}

test("a serving sidecar tells its health, metrics and certificate, never its key", async () => {
  const svid = mesh.svid(idOf("api"));
  const view = workloadView({ rootsPem: [mesh.rootPem] });
  const { adminPort, sidecar } = await startTestSidecar({ view, svid });
  assert.deepEqual(await ask(adminPort, { path: "/healthz/ready" }), {
    status: 200,
    body: "ready\n",
  });
  const certificate = await ask(adminPort, { path: "/certs" });
  assert.deepEqual(JSON.parse(certificate.body), {
    id: svid.id,
    serialNumber: svid.serialNumber,
    notAfter: svid.notAfter.toISOString(),
    issuedAt: svid.issuedAt.toISOString(),
    certificateChainPem: svid.certificateChainPem,
    rootsPem: [mesh.rootPem],
  });
  assert.doesNotMatch(certificate.body, /PRIVATE/);
  const { body } = await ask(adminPort, { path: "/stats/prometheus" });
  assert.match(body, /^hauberk_certificate_expiry_seconds \d+/m);
  await sidecar.close();
  await assert.rejects(ask(adminPort, { path: "/certs" }));
});

test("before it serves, a sidecar is not ready", async () => {
  const port = await freePort();
  const admin = new AdminServer({
    port,
    ready: () => "starting",
    svid: new WatchedValue(undefined),
    rootsPem: () => [],
    metrics: createMetrics(),
    log: silentLog,
  });
  await admin.open();
  assert.equal((await ask(port, { path: "/healthz/ready" })).status, 503);
  assert.equal((await ask(port, { path: "/", method: "GET" })).status, 404);
  assert.equal((await ask(port, { path: "/certs", method: "POST" })).status, 405);
  assert.equal((await ask(port, { path: "/certs", host: "rebound.example" })).status, 421);
  await admin.close();
});
