import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { authenticateCaller } from "../ca/caller.ts";
import type { CertificateHolder } from "../ca/issued-certificates.ts";
import { JwtAuthority } from "../ca/jwt-authority.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { CONTROL_PLANE_NAME } from "../identity/certificate-client.ts";
import { validateJwtSvid } from "../identity/jwt-svid.ts";
import { JwtSvidClient } from "../identity/jwt-svid-client.ts";
import { parseWorkloadIdentity } from "../identity/spiffe-id.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import { InvalidTokenError } from "../jwt/invalid-token-error.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { JwtSvidService } from "../wire/gen/hauberk/identity/v1/jwt_svid_pb.ts";
import { GrpcClient } from "../wire/grpc-client.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { type SecureGrpcServer, startSecureGrpcServer } from "../wire/secure-grpc-server.ts";
import { jwtSvidService } from "./jwt-svid-service.ts";

const API = "spiffe://cluster.local/ns/production/sa/api";
const GONE = "spiffe://cluster.local/ns/production/sa/gone";
const MINUTE_MS = 60_000;

const mesh = createThrowawayAuthority();
const log = recordedLog();
let shiftMs = 0;
const clock = { now: () => new Date(Date.now() + shiftMs) };
const trust = new WatchedValue<AuthorityTrust>({
  rootsPem: [mesh.rootPem],
  taintedAuthorities: [],
  crlsPem: [],
});
/** By serial number: as the issue log has it. */
const holders = new Map<string, CertificateHolder>();
let folder: string;
let authority: JwtAuthority;
let server: SecureGrpcServer;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  authority = await JwtAuthority.open({ directory: folder, authority: "first", clock });
  server = await startService();
});
after(async () => {
  await server.close();
  authority.close();
  await rm(folder, { recursive: true });
});

/** Of a pod of that identity's account. */
function issue(id: string, options?: Parameters<typeof mesh.svid>[1]): X509Svid {
  const svid = mesh.svid(id, options);
  const { namespace, serviceAccount } = parseWorkloadIdentity(svid.id);
  const pod = { namespace, serviceAccount, podName: `${serviceAccount}-0`, podUid: "uid" };
  holders.set(svid.serialNumber, { identity: svid.id, pod });
  return svid;
}

function startService(port = 0): Promise<SecureGrpcServer> {
  const authenticate = authenticateCaller({
    trustDomain: "cluster.local",
    tokens: { verify: () => Promise.reject(new InvalidTokenError("no tokens here")) },
    isLivePod: ({ serviceAccount }) => serviceAccount !== "gone",
    holderOf: (serial) => holders.get(serial),
    trust,
    clock,
  });
  return startSecureGrpcServer({
    host: "127.0.0.1",
    port,
    identity: new WatchedValue({ ...mesh.serverCertificate(), clientRootsPem: [mesh.rootPem] }),
    services: [jwtSvidService({ authority, authenticate, trust, clock, log })],
    maxReceiveBytes: 65_536,
    log,
  });
}

function clientOf(context: TestContext, id?: string): JwtSvidClient {
  const client = new JwtSvidClient({
    controlPlane: `127.0.0.1:${server.port}`,
    rootsPem: () => [mesh.rootPem],
    svid: new WatchedValue<X509Svid | undefined>(id === undefined ? undefined : issue(id)),
    clock,
    log,
    random: () => 0,
  });
  context.after(() => client.close());
  return client;
}

const isStatus = (status: string) => (error: unknown) => {
  assert.ok(error instanceof GrpcStatusError, String(error));
  assert.equal(error.status, status);
  return true;
};

test("a sidecar gets tokens of its certificate's identity, and the keys to verify them", async (context) => {
  const client = clientOf(context, API);
  const token = await client.mint(["db"]);
  const keys = await eventually("the keys", () => client.publicKeys.current);
  const bundles = new Map([["cluster.local", keys]]);
  const { id } = await validateJwtSvid(token, { audience: ["db"], bundles, now: clock.now() });
  assert.equal(id, API);
  const [line] = log.find("JWT-SVID signed");
  assert.equal(line?.fields["id"], API);
  assert.ok(!JSON.stringify(log.lines).includes(token), "a token was logged");
});

test("a token is kept for half of its life, for its audience alone", async (context) => {
  const client = clientOf(context, API);
  const first = client.mint(["db"]);
  assert.equal(await client.mint(["db"]), await first);
  assert.notEqual(await client.mint(["db", "web"]), await first);
  shiftMs += 2 * MINUTE_MS;
  assert.equal(await client.mint(["db"]), await first);
  shiftMs += MINUTE_MS;
  assert.notEqual(await client.mint(["db"]), await first);
});

test("nobody gets a token without a certificate, or for an account that no pod runs as", async (context) => {
  const refused = isStatus("UNAUTHENTICATED");
  await assert.rejects(clientOf(context).mint(["db"]), refused);
  await assert.rejects(clientOf(context, GONE).mint(["db"]), refused);
  const stranger = createThrowawayAuthority().svid(API);
  const client = new JwtSvidClient({
    controlPlane: `127.0.0.1:${server.port}`,
    rootsPem: () => [mesh.rootPem],
    svid: new WatchedValue<X509Svid | undefined>(stranger),
    clock,
    log,
    random: () => 0,
  });
  await assert.rejects(client.mint(["db"]), isStatus("UNAVAILABLE"));
  assert.equal(client.publicKeys.current, undefined);
  await client.close();
});

/** One connection, with that certificate, and a stream of keys on it. */
function connectionOf(context: TestContext, svid: X509Svid) {
  const client = new GrpcClient({
    address: `127.0.0.1:${server.port}`,
    serverName: CONTROL_PLANE_NAME,
    rootsPem: [mesh.rootPem],
    certificate: { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem },
    maxReceiveBytes: 65_536,
  });
  context.after(() => client.close());
  const { signal } = new AbortController();
  const { watchJwtBundle, mintJwtSvid } = JwtSvidService.method;
  const keys = client.answers(watchJwtBundle, {}, { signal })[Symbol.asyncIterator]();
  return {
    mint: () => client.unary(mintJwtSvid, { audience: ["db"] }, { timeoutMs: 20_000 }),
    keys: () => keys.next(),
  };
}

test("a certificate that ends on an open connection mints nothing more, and its stream ends", async (context) => {
  const lifetimeMs = shiftMs + 3_000; // on the service's clock
  const connection = connectionOf(context, issue(API, { now: new Date(), lifetimeMs }));
  await connection.keys();
  assert.notEqual((await connection.mint()).token, "");
  await assert.rejects(connection.keys(), /the client certificate expired at/);
  await assert.rejects(connection.mint(), isStatus("UNAUTHENTICATED"));
});

for (const [what, change] of [
  ["its root leaves", () => ({ ...trust.current, rootsPem: [createThrowawayAuthority().rootPem] })],
  ["a list that cannot be read comes", () => ({ ...trust.current, crlsPem: ["none"] })],
] as const)
  test(`a stream ends, and nothing is minted on its connection, when ${what}`, async (context) => {
    const before = trust.current;
    const connection = connectionOf(context, issue(API));
    await connection.keys();
    trust.set(change());
    try {
      await assert.rejects(connection.keys(), isStatus("UNAUTHENTICATED"));
      await assert.rejects(connection.mint(), isStatus("UNAUTHENTICATED"));
    } finally {
      trust.set(before);
    }
  });

test("a refusal is not kept", async (context) => {
  const svid = new WatchedValue<X509Svid | undefined>(issue(GONE));
  const { port } = server;
  const client = new JwtSvidClient({
    controlPlane: `127.0.0.1:${port}`,
    rootsPem: () => [mesh.rootPem],
    svid,
    clock,
    log,
    random: () => 0,
  });
  context.after(() => client.close());
  await assert.rejects(client.mint(["db"]), isStatus("UNAUTHENTICATED"));
  svid.set(issue(API));
  assert.notEqual(await client.mint(["db"]), "");
});

test("audiences are bounded, and so is how many tokens one identity gets a second", async () => {
  const svid = issue("spiffe://cluster.local/ns/production/sa/greedy");
  const client = new GrpcClient({
    address: `127.0.0.1:${server.port}`,
    serverName: CONTROL_PLANE_NAME,
    rootsPem: [mesh.rootPem],
    certificate: { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem },
    maxReceiveBytes: 65_536,
  });
  const ask = (audience: string[]) =>
    client.unary(JwtSvidService.method.mintJwtSvid, { audience }, { timeoutMs: 20_000 });
  for (const audience of [[], [""], Array<string>(17).fill("a"), ["a".repeat(513)]])
    await assert.rejects(ask(audience), isStatus("INVALID_ARGUMENT"));
  const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => ask(["db"])));
  const refusals = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  assert.ok(refusals.length > 0 && refusals.length < 200, `${refusals.length} of 200 refused`);
  for (const refusal of refusals) isStatus("RESOURCE_EXHAUSTED")(refusal);
  client.close();
});

test("new keys are told at once, also after the control plane was away", async (context) => {
  const client = clientOf(context, API);
  const before = await eventually("the keys", () => client.publicKeys.current);
  await authority.follow("second");
  const more = await eventually("a new key", () => {
    const keys = client.publicKeys.current;
    return keys !== undefined && keys.size > before.size && keys;
  });
  assert.deepEqual([...more.keys()], [...authority.publicKeys.current.keys()]);
  const { port } = server;
  await server.close();
  shiftMs += 3 * MINUTE_MS;
  await authority.follow("third");
  server = await startService(port);
  await eventually(
    "the keys of afterwards",
    () => client.publicKeys.current?.size === authority.publicKeys.current.size,
  );
  assert.deepEqual(
    [...(client.publicKeys.current ?? [])].map(([id]) => id),
    [...authority.publicKeys.current.keys()],
  );
});
