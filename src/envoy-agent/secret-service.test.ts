/** Envoy's side of the service is spoken by hand, as Envoy speaks it: what is asked, acknowledged, and refused. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { EnvoySecrets } from "../../test/kit/envoy-secrets.ts";
import { idOf, workloadView } from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { silentLog } from "../runtime/log.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { startUnixGrpcServer } from "../wire/unix-grpc-server.ts";
import { AcceptedTrust } from "./accepted-trust.ts";
import { secretService } from "./secret-service.ts";

const authority = createThrowawayAuthority();
const next = createThrowawayAuthority();
/** So long nothing may happen. */
const QUIET_MS = 150;
const never = new AbortController().signal;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true }));

let sockets = 0;

interface Fixture {
  readonly svid: WatchedValue<X509Svid | undefined>;
  readonly views: WatchedValue<WorkloadView | undefined>;
  readonly accepted: AcceptedTrust;
  /** A further stream, as Envoy opens one for each secret. */
  ask(...names: string[]): EnvoySecrets;
}

async function serve(context: TestContext, first: "ready" | "empty" = "ready"): Promise<Fixture> {
  const path = join(folder, `${sockets++}.sock`);
  const isReady = first === "ready";
  const svid = new WatchedValue(isReady ? authority.svid(idOf("api")) : undefined);
  const views = new WatchedValue(isReady ? viewOf(authority.rootPem) : undefined);
  const accepted = new AcceptedTrust();
  const server = await startUnixGrpcServer({
    path,
    access: "owner",
    services: [secretService({ svid, views, accepted, systemRoots: "/roots.pem", log: silentLog })],
    maxReceiveBytes: 65_536,
    maxConnections: 8,
    maxStreamsPerConnection: 8,
    log: silentLog,
  });
  context.after(() => server.close());
  const ask = (...names: string[]): EnvoySecrets => {
    const envoy = new EnvoySecrets(path, names);
    context.after(() => envoy.close());
    return envoy;
  };
  return { svid, views, accepted, ask };
}

function viewOf(...rootsPem: string[]): WorkloadView {
  return workloadView({ rootsPem });
}

test("Envoy gets its chain and its key by the name `default`, and a renewed one as it comes", async (context) => {
  const { svid, ask } = await serve(context);
  const envoy = ask("default");
  const first = await envoy.next();
  assert.deepEqual(first.secrets, [
    {
      name: "default",
      chainPem: svid.current?.certificateChainPem,
      privateKeyPem: svid.current?.privateKeyPem,
    },
  ]);
  envoy.acknowledge();
  const renewed = authority.svid(idOf("api"));
  svid.set(renewed);
  const second = await envoy.next();
  assert.deepEqual(second.secrets, [
    {
      name: "default",
      chainPem: renewed.certificateChainPem,
      privateKeyPem: renewed.privateKeyPem,
    },
  ]);
  assert.notEqual(second.nonce, first.nonce);
});

test("trust is sent by the name `ROOTCA` with the lists of what is revoked, and only when it is another", async (context) => {
  const { views, ask } = await serve(context);
  const envoy = ask("ROOTCA");
  assert.deepEqual((await envoy.next()).secrets, [
    { name: "ROOTCA", rootsPem: authority.rootPem, crlsPem: "" },
  ]);
  envoy.acknowledge();
  views.set(viewOf(authority.rootPem)); // another view, the same trust
  const view = viewOf(authority.rootPem, next.rootPem);
  views.set({ ...view, trust: { ...view.trust, crlsPem: ["LIST"] } });
  const [secret] = (await envoy.next()).secrets;
  assert.deepEqual(secret, {
    name: "ROOTCA",
    rootsPem: `${authority.rootPem}\n${next.rootPem}`,
    crlsPem: "LIST",
  });
});

test("what is not there yet is sent once it is; a name that nobody knows is never", async (context) => {
  const { svid, ask } = await serve(context, "empty");
  const envoy = ask("default", "other");
  const answer = envoy.next();
  svid.set(authority.svid(idOf("api")));
  assert.deepEqual(
    (await answer).secrets.map(({ name }) => name),
    ["default"],
  );
});

test("trust is in force once Envoy has taken it over on every stream, and not before", async (context) => {
  const { views, accepted, ask } = await serve(context);
  const streams = [ask("ROOTCA"), ask("ROOTCA", "default")];
  for (const envoy of streams) {
    await envoy.next();
    envoy.acknowledge();
  }
  const view = viewOf(next.rootPem);
  views.set(view);
  let settled = false;
  const waiting = accepted.settled(view.trust, never).then(() => {
    settled = true;
  });
  for (const envoy of streams) await envoy.next();
  streams[0]?.acknowledge();
  await delay(QUIET_MS);
  assert.equal(settled, false);
  streams[1]?.acknowledge();
  await waiting;
});

test("trust that Envoy refuses is told with its words; a stream that is gone is not waited for", async (context) => {
  const { views, accepted, ask } = await serve(context);
  const envoy = ask("ROOTCA");
  await envoy.next();
  envoy.acknowledge();
  const view = viewOf("no certificate");
  views.set(view);
  await envoy.next();
  envoy.refuse("Failed to load trusted CA certificates from <inline>");
  await assert.rejects(accepted.settled(view.trust, never), {
    code: "HAUBERK_TRUST_REFUSED",
    message: "Failed to load trusted CA certificates from <inline>",
  });
  const other = viewOf(next.rootPem);
  views.set(other);
  const waiting = accepted.settled(other.trust, never);
  envoy.close();
  await waiting;
});

test("an answer to an earlier response counts for nothing", async (context) => {
  const { views, accepted, ask } = await serve(context);
  const envoy = ask("ROOTCA");
  const first = await envoy.next();
  const view = viewOf(next.rootPem);
  views.set(view);
  await envoy.next();
  envoy.answer({ nonce: first.nonce, version: first.version });
  const inTime = AbortSignal.timeout(QUIET_MS);
  await accepted.settled(view.trust, inTime);
  assert.ok(inTime.aborted, "it should have been waited for");
  envoy.acknowledge();
  await accepted.settled(view.trust, never);
});

test("nobody is answered who asks for more secrets than there are", async (context) => {
  const { ask } = await serve(context);
  const envoy = ask(...Array.from({ length: 9 }, (_, index) => `secret-${index}`));
  await assert.rejects(envoy.next(), { status: "INVALID_ARGUMENT" });
});
