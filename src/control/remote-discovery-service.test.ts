/** Who is told of this mesh's services, and for how long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  away,
  common,
  connected,
  follow,
  foreign,
  LOCAL,
  serve,
  trustOf,
} from "../../test/kit/remote-meshes.ts";
import { CONTROL_PLANE_NAME } from "../identity/certificate-client.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import { RemoteDiscovery } from "../wire/gen/hauberk/clusters/v1/remote_discovery_pb.ts";
import { GrpcClient } from "../wire/grpc-client.ts";
import { GrpcStatusError, type GrpcStatusName } from "../wire/grpc-status.ts";
import { controlPlaneIdentity } from "./control-plane-svid.ts";

/** What somebody with this certificate gets. */
async function ask(
  port: number,
  svid: X509Svid | undefined,
  cluster = "west",
): Promise<GrpcStatusName | "answered"> {
  const client = new GrpcClient({
    address: `127.0.0.1:${port}`,
    serverName: CONTROL_PLANE_NAME,
    rootsPem: [common.rootPem],
    maxReceiveBytes: 1_048_576,
    ...(svid && {
      certificate: { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem },
    }),
  });
  const stop = new AbortController();
  try {
    const { watchServices } = RemoteDiscovery.method;
    const { signal } = stop;
    for await (const _ of client.answers(watchServices, { cluster }, { signal })) return "answered";
    return "OK";
  } catch (error) {
    assert.ok(error instanceof GrpcStatusError, String(error));
    return error.status;
  } finally {
    stop.abort();
    client.close();
  }
}

const istiod = controlPlaneIdentity(LOCAL);
const ASKERS = [
  ["another control plane", () => common.svid(istiod), "answered"],
  ["nobody", () => undefined, "PERMISSION_DENIED"],
  ["a workload", () => common.svid("spiffe://cluster.local/ns/shop/sa/api"), "PERMISSION_DENIED"],
  [
    "a workload of the control plane's namespace",
    () => common.svid("spiffe://cluster.local/ns/istio-system/sa/default"),
    "PERMISSION_DENIED",
  ],
  [
    "a control plane of a foreign trust domain",
    () => common.svid(controlPlaneIdentity("elsewhere")),
    "PERMISSION_DENIED",
  ],
  ["a control plane under a foreign root", () => foreign.svid(istiod), "UNAVAILABLE"],
] as const;
for (const [who, svid, expected] of ASKERS)
  test(`${who} is ${expected === "answered" ? "" : "not "}answered`, async (context) => {
    const east = await serve(context);
    assert.equal(await ask(east.port, svid()), expected);
    const warned = east.log.lines.filter(({ level }) => level === "warn");
    assert.equal(warned.length, expected === "answered" ? 0 : 1);
  });

test("a name that is none is refused", async (context) => {
  const east = await serve(context);
  assert.equal(await ask(east.port, common.svid(istiod), "a/b"), "INVALID_ARGUMENT");
  assert.equal(await ask(east.port, common.svid(istiod), "east"), "FAILED_PRECONDITION");
});

test("a stream ends with the certificate that opened it, and when its root is trusted no more", async (context) => {
  let aheadMs = 0;
  const clock = { now: () => new Date(Date.now() + aheadMs) };
  const east = await serve(context, { clock });
  const west = await follow(context, east.port);
  await connected(west);
  east.trust.set(trustOf(foreign.rootPem));
  await away(west);
  assert.match(west.state().problem ?? "", /the client certificate is not trusted any more/);
  east.trust.set(trustOf(foreign.rootPem, common.rootPem));
  await connected(west);
  aheadMs = 2 * 86_400_000;
  const late = await follow(context, east.port, { cluster: "late" });
  await away(late);
  assert.match(late.state().problem ?? "", /the client certificate expired/);
});
