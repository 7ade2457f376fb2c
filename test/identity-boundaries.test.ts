/** Whoever holds one workload's token, on a mesh that really runs, gets neither the view nor the identity of another. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ServiceAccountTokens } from "../src/ca/service-account-tokens.ts";
import { CONTROL_PLANE_NAME, certificateClient } from "../src/identity/certificate-client.ts";
import { createCertificateRequest } from "../src/identity/certificate-request.ts";
import { startDiscoveryClient } from "../src/proxy/discovery-client.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { WatchedValue } from "../src/runtime/watched.ts";
import { IstioCertificateService } from "../src/wire/gen/istio/v1/auth/ca_pb.ts";
import { GrpcClient } from "../src/wire/grpc-client.ts";
import { GrpcStatusError } from "../src/wire/grpc-status.ts";
import { eventually } from "./kit/eventually.ts";
import { recordedLog } from "./kit/recorded-log.ts";
import { runMesh } from "./kit/running-mesh.ts";

const DATABASE = "spiffe://cluster.local/ns/production/sa/database";

test("CA-8, CA-56: api's token buys neither database's certificate nor its view, and both attempts are logged", async (context) => {
  const mesh = await runMesh(["examples/first-verdict"]);
  context.after(() => mesh.stop());
  const rootPem = await mesh.rootPem();
  const { namespace, name, uid, serviceAccount } = mesh.workload("api");
  const token = await (await ServiceAccountTokens.open(mesh.data)).issue({
    namespace,
    podName: name,
    podUid: uid,
    serviceAccount,
    now: new Date(),
    lifetimeMs: 60_000,
  });

  const client = new GrpcClient({
    address: mesh.state.controlPlane,
    serverName: CONTROL_PLANE_NAME,
    rootsPem: [rootPem],
    maxReceiveBytes: 65_536,
  });
  context.after(() => client.close());
  const { csrPem } = createCertificateRequest({ uris: [DATABASE] });
  await assert.rejects(
    client.unary(
      IstioCertificateService.method.createCertificate,
      { csr: csrPem, validityDuration: 60n },
      { timeoutMs: 5_000, headers: { authorization: `Bearer ${token}` } },
    ),
    (error) => error instanceof GrpcStatusError && error.status === "PERMISSION_DENIED",
  );

  const request = certificateClient({
    controlPlane: mesh.state.controlPlane,
    rootsPem: () => [rootPem],
    lifetimeSeconds: 60,
    clock: systemClock,
  });
  const { svid } = await request({ token, signal: AbortSignal.timeout(5_000) });
  const stop = new AbortController();
  const log = recordedLog();
  const discovery = startDiscoveryClient({
    controlPlane: mesh.state.controlPlane,
    name: "production/database-0",
    svid: new WatchedValue(svid),
    rootsPem: () => [rootPem],
    log,
    random: () => 0,
    signal: stop.signal,
  });
  await eventually("a refusal", () => log.lines.length > 0);
  stop.abort();
  await discovery.stopped;
  assert.equal(discovery.views.current, undefined);

  const controlPlane = await mesh.read("logs/control-plane.log");
  assert.match(controlPlane, /names another identity|another identity/);
  assert.match(controlPlane, /production\/database-0/);
});
