import assert from "node:assert/strict";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { idOf, workloadView } from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { WorkloadApiClient } from "../../test/kit/workload-api-client.ts";
import { parseJwtBundle } from "../identity/jwt-bundle.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import { signWithKeyId } from "../jwt/sign-with-key-id.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { systemClock } from "../runtime/clock.ts";
import { silentLog } from "../runtime/log.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { GrpcStatusError, type GrpcStatusName } from "../wire/grpc-status.ts";
import { startWorkloadApi, type WorkloadApiOptions } from "./workload-api.ts";

const ID = idOf("api");
const TRUST_DOMAIN = "spiffe://cluster.local";
const authority = createThrowawayAuthority();
const next = createThrowawayAuthority();
const signer = generateKeyPairSync("ec", { namedCurve: "P-256" });

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true }));

let sockets = 0;

interface Fixture {
  readonly path: string;
  readonly svid: WatchedValue<X509Svid | undefined>;
  readonly views: WatchedValue<WorkloadView | undefined>;
  readonly client: WorkloadApiClient;
}

async function serve(
  context: TestContext,
  options: Partial<Pick<WorkloadApiOptions, "jwt" | "access" | "callers">> = {},
): Promise<Fixture> {
  const path = join(folder, `${sockets++}.sock`);
  const svid = new WatchedValue<X509Svid | undefined>(authority.svid(ID));
  const view = workloadView({ rootsPem: [authority.rootPem], trustDomainAliases: ["old.example"] });
  const views = new WatchedValue<WorkloadView | undefined>(view);
  const jwt = { mint, publicKeys: new WatchedValue(new Map([["one", signer.publicKey]])) };
  const rest = { svid, views, clock: systemClock, log: silentLog };
  const server = await startWorkloadApi({ path, access: "owner", jwt, ...rest, ...options });
  const client = new WorkloadApiClient(path);
  context.after(async () => {
    client.close();
    await server.close();
  });
  return { path, svid, views, client };
}

async function mint(audience: readonly string[], subject: string = ID): Promise<string> {
  const now = new Date();
  const claims = { subject, audience, issuedAt: now, expiresAt: new Date(now.getTime() + 60_000) };
  return signWithKeyId(claims, { keyId: "one", privateKey: signer.privateKey });
}

const isStatus =
  (status: GrpcStatusName, details = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof GrpcStatusError, String(error));
    assert.equal(error.status, status);
    assert.match(error.message, details);
    return true;
  };

/** Certificates one after the other. */
function certificatesIn(der: Uint8Array): X509Certificate[] {
  const found: X509Certificate[] = [];
  for (let rest = Buffer.from(der); rest.length > 0; ) {
    const certificate = new X509Certificate(rest);
    found.push(certificate);
    rest = rest.subarray(certificate.raw.length);
  }
  return found;
}

async function nextOf<T>(stream: AsyncGenerator<T>): Promise<T> {
  const { value, done } = await stream.next();
  assert.ok(done !== true, "the stream has ended");
  return value;
}

test("FetchX509SVID gives chain, key and bundle in DER", async (context) => {
  const { client } = await serve(context);
  const stream = client.follow("fetchX509SVID");
  const { svids, crl, federatedBundles } = await nextOf(stream);
  const [svid] = svids;
  assert.ok(svid);
  assert.equal(svids.length, 1);
  assert.equal(svid.spiffeId, ID);
  const [leaf] = certificatesIn(svid.x509Svid);
  const key = createPrivateKey({
    key: Buffer.from(svid.x509SvidKey),
    format: "der",
    type: "pkcs8",
  });
  assert.ok(leaf?.publicKey.equals(createPublicKey(key)));
  assert.deepEqual(certificatesIn(svid.bundle).map(String), [authority.rootPem]);
  assert.deepEqual(crl, []);
  assert.deepEqual(Object.keys(federatedBundles), ["spiffe://old.example"]);
  await stream.return(undefined);
});

test("FetchX509SVID sends anew at each rotation and each change of roots, and not otherwise", async (context) => {
  const { client, svid, views } = await serve(context);
  const stream = client.follow("fetchX509SVID");
  const first = await nextOf(stream);
  const current = views.current ?? assert.fail();
  views.set({ ...current, outbound: { ...current.outbound } });
  svid.set(authority.svid(ID));
  const second = await nextOf(stream);
  assert.notDeepEqual(second.svids[0]?.x509Svid, first.svids[0]?.x509Svid);
  const rootsPem = [authority.rootPem, next.rootPem];
  views.set({ ...current, trust: { ...current.trust, rootsPem } });
  const third = await nextOf(stream);
  assert.deepEqual(third.svids[0]?.x509Svid, second.svids[0]?.x509Svid);
  assert.deepEqual(certificatesIn(third.svids[0]?.bundle ?? Buffer.of()).map(String), rootsPem);
  await stream.return(undefined);
});

test("a client that comes before the first certificate waits for it", async (context) => {
  const { client, svid } = await serve(context);
  const issued = svid.current;
  svid.set(undefined);
  const stream = client.follow("fetchX509SVID");
  const answer = nextOf(stream);
  svid.set(issued);
  assert.equal((await answer).svids[0]?.spiffeId, ID);
  await stream.return(undefined);
});

test("FetchX509Bundles has the roots of every accepted trust domain", async (context) => {
  const { client, views } = await serve(context);
  const current = views.current ?? assert.fail();
  const trustDomainAliases = ["old.example", "cluster.local", "no domain"];
  views.set({ ...current, trust: { ...current.trust, trustDomainAliases } });
  const stream = client.follow("fetchX509Bundles");
  const { bundles } = await nextOf(stream);
  assert.deepEqual(Object.keys(bundles).sort(), [TRUST_DOMAIN, "spiffe://old.example"].sort());
  for (const bundle of Object.values(bundles))
    assert.deepEqual(certificatesIn(bundle).map(String), [authority.rootPem]);
  await stream.return(undefined);
});

test("a token is fetched, and validated by the keys of FetchJWTBundles", async (context) => {
  const { client } = await serve(context);
  const { svids } = await client.ask("fetchJWTSVID", { audience: ["db"] });
  assert.equal(svids[0]?.spiffeId, ID);
  const svid = svids[0]?.svid ?? "";
  const { spiffeId, claims } = await client.ask("validateJWTSVID", { audience: "db", svid });
  assert.equal(spiffeId, ID);
  assert.deepEqual(claims?.["aud"], ["db"]);
  const stream = client.follow("fetchJWTBundles");
  const { bundles } = await nextOf(stream);
  const text = new TextDecoder().decode(bundles[TRUST_DOMAIN]);
  assert.ok(parseJwtBundle(text).get("one")?.equals(signer.publicKey));
  await stream.return(undefined);
});

test("the own identity may be asked for by name, another's not", async (context) => {
  const { client } = await serve(context);
  const { svids } = await client.ask("fetchJWTSVID", { audience: ["db"], spiffeId: ID });
  assert.equal(svids.length, 1);
  await assert.rejects(
    client.ask("fetchJWTSVID", { audience: ["db"], spiffeId: idOf("other") }),
    isStatus("PERMISSION_DENIED"),
  );
});

const without: [what: string, headers: Record<string, string>][] = [
  ["no metadata", {}],
  ["another value", { "workload.spiffe.io": "false" }],
  ["another spelling of the value", { "workload.spiffe.io": "True" }],
];
for (const [what, headers] of without) {
  test(`every method refuses a call with ${what}`, async (context) => {
    const { path } = await serve(context);
    const client = new WorkloadApiClient(path, headers);
    const refused = isStatus("INVALID_ARGUMENT", /workload\.spiffe\.io: true is required/);
    for (const name of ["fetchX509SVID", "fetchX509Bundles", "fetchJWTBundles"] as const)
      await assert.rejects(client.follow(name).next(), refused);
    await assert.rejects(client.ask("fetchJWTSVID", { audience: ["db"] }), refused);
    const svid = await mint(["db"]);
    await assert.rejects(client.ask("validateJWTSVID", { audience: "db", svid }), refused);
    client.close();
  });
}

test("requests that say too little or too much are refused", async (context) => {
  const { client } = await serve(context);
  const svid = await mint(["db"]);
  const refused = isStatus("INVALID_ARGUMENT");
  const audiences = [[], [""], Array<string>(17).fill("a"), ["a".repeat(513)]];
  for (const audience of audiences)
    await assert.rejects(client.ask("fetchJWTSVID", { audience }), refused);
  await assert.rejects(client.ask("validateJWTSVID", { audience: "", svid }), refused);
  await assert.rejects(client.ask("validateJWTSVID", { audience: "db", svid: "" }), refused);
  await assert.rejects(client.ask("validateJWTSVID", { audience: "web", svid }), refused);
  const foreign = await mint(["db"], "spiffe://other.example/a");
  await assert.rejects(client.ask("validateJWTSVID", { audience: "db", svid: foreign }), refused);
  const huge = { audience: "db", svid: "a".repeat(200_000) };
  await assert.rejects(client.ask("validateJWTSVID", huge), isStatus("RESOURCE_EXHAUSTED"));
});

test("without the control plane certificates go on, and tokens are told to be unavailable", async (context) => {
  const gone = async (): Promise<string> => {
    throw new GrpcStatusError("DEADLINE_EXCEEDED", "secret details");
  };
  const publicKeys = new WatchedValue(undefined);
  const { client } = await serve(context, { jwt: { mint: gone, publicKeys } });
  const unavailable = isStatus("UNAVAILABLE", /^(?!.*secret)/);
  await assert.rejects(client.ask("fetchJWTSVID", { audience: ["db"] }), unavailable);
  const svid = await mint(["db"]);
  await assert.rejects(client.ask("validateJWTSVID", { audience: "db", svid }), unavailable);
  const stream = client.follow("fetchX509SVID");
  assert.equal((await nextOf(stream)).svids.length, 1);
  await stream.return(undefined);
});

test("the socket is for its owner, or for one group, and replaces what an earlier run left", async (context) => {
  const path = join(folder, `${sockets}.sock`);
  await writeFile(path, "left over");
  await serve(context);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const shared = await serve(context, { access: "group" });
  assert.equal((await stat(shared.path)).mode & 0o777, 0o660);
});

test("streams of all connections together are bounded, and make room when they end", async (context) => {
  const { path } = await serve(context);
  const clients = Array.from({ length: 9 }, () => new WorkloadApiClient(path));
  const streams = clients
    .slice(0, 8)
    .flatMap((client) => Array.from({ length: 32 }, () => client.follow("fetchX509Bundles")));
  await Promise.all(streams.map(nextOf));
  const [last] = clients.slice(-1);
  assert.ok(last);
  await assert.rejects(last.follow("fetchX509Bundles").next(), isStatus("RESOURCE_EXHAUSTED"));
  clients[0]?.close();
  await streams[0]?.return(undefined);
  const admitted = await eventually("room for a stream", async () => {
    const stream = last.follow("fetchX509Bundles");
    return stream.next().then(
      () => stream,
      () => undefined,
    );
  });
  await Promise.all([...streams, admitted].map((stream) => stream.return(undefined)));
  for (const client of clients) client.close();
});

test("a caller that is not the workload gets nothing; one that is, after some thought, everything", async (context) => {
  let verdict: "admitted" | "refused" = "refused";
  const callers = { admit: () => delay(50).then(() => verdict) };
  const { path } = await serve(context, { callers });
  const stranger = new WorkloadApiClient(path);
  await assert.rejects(stranger.ask("fetchJWTSVID", { audience: ["db"] }), isStatus("UNAVAILABLE"));
  stranger.close();
  verdict = "admitted";
  const own = new WorkloadApiClient(path);
  assert.equal((await own.ask("fetchJWTSVID", { audience: ["db"] })).svids.length, 1);
  own.close();
});

test("what is not HTTP/2 ends its own connection, and nothing else", async (context) => {
  const { path, client } = await serve(context);
  for (const text of [
    "GET / HTTP/1.1\r\n\r\n",
    "\0".repeat(64),
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n????",
  ]) {
    const socket = connect(path);
    socket.on("error", () => socket.destroy());
    socket.end(text);
    await new Promise((resolve) => socket.once("close", resolve).resume());
  }
  assert.equal((await client.ask("fetchJWTSVID", { audience: ["db"] })).svids.length, 1);
});
