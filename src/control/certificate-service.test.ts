import assert from "node:assert/strict";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from "node:crypto";
import { after, before, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { authenticateCaller } from "../ca/caller.ts";
import { ServiceAccountTokens } from "../ca/service-account-tokens.ts";
import { CONTROL_PLANE_NAME, certificateClient } from "../identity/certificate-client.ts";
import { createCertificateRequest } from "../identity/certificate-request.ts";
import { spiffeIdOfCertificate } from "../identity/peer-certificate.ts";
import { spiffeId } from "../identity/spiffe-id.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { IstioCertificateService } from "../wire/gen/istio/v1/auth/ca_pb.ts";
import { GrpcClient } from "../wire/grpc-client.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import {
  type SecureGrpcServer,
  type ServerIdentity,
  startSecureGrpcServer,
} from "../wire/secure-grpc-server.ts";
import { certificateService } from "./certificate-service.ts";

const API = "spiffe://cluster.local/ns/production/sa/api";
const DATABASE = "spiffe://cluster.local/ns/production/sa/database";
const MINUTE_MS = 60_000;
const MAX_BYTES = 65_536;

const mesh = createThrowawayAuthority();
const stranger = createThrowawayAuthority();
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const tokens = new ServiceAccountTokens(privateKey);
const log = recordedLog();
const identity = new WatchedValue<ServerIdentity>(serverIdentity());
const livePods = new Set(["production/api-0/uid-1/api", "production/database-0/uid-2/database"]);
const GHOST = { namespace: "ghost", serviceAccount: "ghost" };
const clock = { now: () => new Date(Date.now() + clockShiftMs) };
let clockShiftMs = 0;
let server: SecureGrpcServer;

function serverIdentity(): ServerIdentity {
  return { ...mesh.serverCertificate(), clientRootsPem: [mesh.rootPem] };
}

before(async () => {
  const authenticate = authenticateCaller({
    trustDomain: "cluster.local",
    tokens,
    isLivePod: ({ namespace, name, uid, serviceAccount }) =>
      livePods.has(`${namespace}/${name}/${uid}/${serviceAccount}`),
    isLiveAccount: ({ namespace, serviceAccount }) =>
      [...livePods].some(
        (pod) => pod.startsWith(`${namespace}/`) && pod.endsWith(`/${serviceAccount}`),
      ),
    clock,
  });
  server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity,
    services: [certificateService({ authority: mesh.authority, authenticate, clock, log })],
    maxReceiveBytes: MAX_BYTES,
    log,
  });
});
after(() => server.close());

const bearer = {
  namespace: "production",
  podName: "api-0",
  podUid: "uid-1",
  serviceAccount: "api",
};

function issueToken(changes: Partial<typeof bearer> = {}): Promise<string> {
  return tokens.issue({ ...bearer, ...changes, now: new Date(), lifetimeMs: 10 * MINUTE_MS });
}

interface Attempt {
  readonly token?: string;
  readonly csr?: string;
  readonly certificate?: { readonly chainPem: string; readonly privateKeyPem: string };
  readonly metadata?: Record<string, string>;
  readonly lifetimeSeconds?: bigint;
  readonly rootsPem?: readonly string[];
  readonly serverName?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function attempt(options: Attempt): Promise<readonly string[]> {
  const client = new GrpcClient({
    address: `127.0.0.1:${server.port}`,
    serverName: options.serverName ?? CONTROL_PLANE_NAME,
    rootsPem: options.rootsPem ?? [mesh.rootPem],
    maxReceiveBytes: MAX_BYTES,
    ...(options.certificate === undefined ? {} : { certificate: options.certificate }),
  });
  try {
    const { certChain } = await client.unary(
      IstioCertificateService.method.createCertificate,
      {
        csr: options.csr ?? createCertificateRequest().csrPem,
        validityDuration: options.lifetimeSeconds ?? 0n,
        ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
      },
      {
        timeoutMs: 10_000,
        headers: {
          ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
          ...options.headers,
        },
      },
    );
    return certChain;
  } finally {
    client.close();
  }
}

async function assertRefused(
  options: Attempt,
  expected: { readonly status: string; readonly logged: RegExp },
): Promise<void> {
  const linesBefore = log.lines.length;
  await assert.rejects(attempt(options), (error) => {
    assert.ok(error instanceof GrpcStatusError);
    assert.equal(error.status, expected.status, error.message);
    return true;
  });
  const said = JSON.stringify(log.lines.slice(linesBefore));
  assert.match(said, expected.logged);
  assert.ok(options.token === undefined || !said.includes(options.token), "the token is logged");
}

function leafOf(certChain: readonly string[]): X509Certificate {
  const [leaf] = certChain;
  assert.ok(leaf !== undefined);
  return new X509Certificate(leaf);
}

test("CA-1, CA-2, CA-3, CA-8: a token buys a certificate for its own service account", async () => {
  const chain = await attempt({ token: await issueToken() });
  assert.equal(chain.length, 2);
  assert.equal(chain[1], mesh.rootPem);
  assert.equal(spiffeIdOfCertificate(leafOf(chain)), API);
  assert.equal(leafOf(chain).verify(mesh.authority.certificate.publicKey), true);
  assert.equal(log.find("certificate signed").at(-1)?.fields["id"], API);
});

test("CA-10: the lifetime asked for is granted, 24 h by default", async () => {
  const token = await issueToken();
  for (const [lifetimeSeconds, expected] of [
    [0n, 86_400],
    [-5n, 86_400],
    [120n, 120],
  ] as const) {
    const leaf = leafOf(await attempt({ token, lifetimeSeconds }));
    const leftSeconds = (Date.parse(leaf.validTo) - Date.now()) / 1000;
    assert.ok(Math.abs(leftSeconds - expected) < 5, `${lifetimeSeconds}: ${leftSeconds}`);
  }
});

test("CA-5: a verified client certificate is who calls, whatever token stands beside it", async () => {
  const svid = mesh.svid(DATABASE);
  const certificate = { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem };
  const chain = await attempt({ certificate, token: await issueToken() });
  assert.equal(spiffeIdOfCertificate(leafOf(chain)), DATABASE);
});

test("beyond CA-5: a certificate of an account that no pod runs as buys nothing", async () => {
  const svid = mesh.svid(spiffeId({ ...GHOST, trustDomain: "cluster.local" }));
  const certificate = { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem };
  await assertRefused({ certificate }, { status: "UNAUTHENTICATED", logged: /no pod runs as/ });
});

test("CA-5: without token and certificate nobody is served", async () => {
  await assertRefused({}, { status: "UNAUTHENTICATED", logged: /neither/ });
});

test("CA-5: a token that is none is refused", async () => {
  await assertRefused({ token: "a.b.c" }, { status: "UNAUTHENTICATED", logged: /cannot be read/ });
  const basic = { headers: { authorization: "Basic YTpi" } };
  await assertRefused(basic, { status: "UNAUTHENTICATED", logged: /not one bearer token/ });
});

test("CA-33: an expired token is refused", async () => {
  const token = await issueToken();
  clockShiftMs = 11 * MINUTE_MS;
  try {
    await assertRefused({ token }, { status: "UNAUTHENTICATED", logged: /has expired/ });
  } finally {
    clockShiftMs = 0;
  }
});

test("a token of another cluster's key is refused", async () => {
  const other = new ServiceAccountTokens(
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  );
  const token = await other.issue({ ...bearer, now: new Date(), lifetimeMs: MINUTE_MS });
  await assertRefused({ token }, { status: "UNAUTHENTICATED", logged: /does not verify/ });
});

for (const [what, changes] of [
  ["another pod uid", { podUid: "uid-0" }],
  ["a pod that is gone", { podName: "api-9" }],
  ["another namespace", { namespace: "staging" }],
  ["another service account than the pod runs as", { serviceAccount: "database" }],
] as const) {
  test(`a token bound to ${what} is refused`, async () => {
    const token = await issueToken(changes);
    await assertRefused({ token }, { status: "UNAUTHENTICATED", logged: /does not run/ });
  });
}

test("CA-8 and beyond: a request that names another identity is refused and logged", async () => {
  const { csrPem: csr } = createCertificateRequest({ uris: [DATABASE] });
  const token = await issueToken();
  await assertRefused(
    { token, csr },
    { status: "PERMISSION_DENIED", logged: /production\/sa\/api.*names another.*sa\/database/ },
  );
});

test("CA-8: names that are no identity are ignored, the own identity is welcome", async () => {
  const uris = ["https://example.org/", API];
  const { csrPem: csr } = createCertificateRequest({ uris });
  const leaf = leafOf(await attempt({ token: await issueToken(), csr }));
  assert.equal(leaf.subjectAltName, `URI:${API}`);
});

test("CA-9, QK-31: impersonation is refused", async () => {
  await assertRefused(
    { token: await issueToken(), metadata: { ImpersonatedIdentity: DATABASE } },
    { status: "UNAUTHENTICATED", logged: /impersonation/ },
  );
});

test("CA-11: what the caller got wrong is INVALID_ARGUMENT", async () => {
  const token = await issueToken();
  const tooLong = { token, lifetimeSeconds: 90n * 86_400n + 1n };
  await assertRefused(tooLong, { status: "INVALID_ARGUMENT", logged: /lifetime/ });
  const broken = { token, csr: "-----BEGIN CERTIFICATE REQUEST-----" };
  await assertRefused(broken, { status: "INVALID_ARGUMENT", logged: /not PEM/ });
});

test("CA-10, CA-11: an authority that cannot sign is INTERNAL", async () => {
  const svid = mesh.svid(API);
  const certificate = { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem };
  clockShiftMs = 11 * 365 * 86_400_000;
  try {
    await assertRefused({ certificate }, { status: "INTERNAL", logged: /authority.*expired/ });
  } finally {
    clockShiftMs = 0;
  }
});

test("a request larger than the limit never reaches the service", async () => {
  await assert.rejects(
    attempt({ token: await issueToken(), csr: "x".repeat(MAX_BYTES) }),
    (error) => error instanceof GrpcStatusError && error.status === "RESOURCE_EXHAUSTED",
  );
});

test("a client certificate of another root is refused before gRPC, with the reason logged", async () => {
  const svid = stranger.svid(API);
  const certificate = { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem };
  const token = await issueToken();
  const signedBefore = log.find("certificate signed").length;
  await assert.rejects(attempt({ certificate, token }), GrpcStatusError);
  const refused = await eventually("the refusal", () => log.find("client certificate").at(-1));
  assert.match(String(refused.fields["reason"]), /UNABLE_TO_VERIFY|SIGNATURE|ISSUER/);
  assert.equal(log.find("certificate signed").length, signedBefore);
});

test("QK-28: an expired client certificate is refused, also beside a good token", async () => {
  const yesterday = new Date(Date.now() - 86_400_000);
  const old = createThrowawayAuthority({ now: yesterday });
  identity.set({ ...serverIdentity(), clientRootsPem: [mesh.rootPem, old.rootPem] });
  const svid = old.svid(API, { now: yesterday, lifetimeMs: MINUTE_MS });
  const certificate = { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem };
  await assert.rejects(attempt({ certificate, token: await issueToken() }), GrpcStatusError);
  const refused = await eventually("the refusal", () =>
    log.find("client certificate").find(({ fields }) => fields["reason"] === "CERT_HAS_EXPIRED"),
  );
  assert.equal(refused.level, "warn");
  identity.set(serverIdentity());
});

test("the client refuses a control plane of another root or another name", async () => {
  const token = await issueToken();
  await assert.rejects(attempt({ token, rootsPem: [stranger.rootPem] }), /signature|self-signed/);
  await assert.rejects(attempt({ token, serverName: "istiod.elsewhere.svc" }), /altnames/);
});

test("the server's certificate is exchanged while it runs", async () => {
  const next = createThrowawayAuthority();
  identity.set({ ...next.serverCertificate(), clientRootsPem: [mesh.rootPem] });
  const token = await issueToken();
  await assert.rejects(attempt({ token }), GrpcStatusError);
  assert.equal((await attempt({ token, rootsPem: [next.rootPem] })).length, 2);
  identity.set(serverIdentity());
  assert.equal((await attempt({ token })).length, 2);
});

test("CA-2: the certificate client returns a checked SVID with a new key each time", async () => {
  const request = certificateClient({
    controlPlane: `127.0.0.1:${server.port}`,
    rootsPem: [mesh.rootPem],
    lifetimeSeconds: 3_600,
    clock,
  });
  const { signal } = new AbortController();
  const token = await issueToken();
  const [first, second] = [await request({ token, signal }), await request({ token, signal })];
  assert.equal(first.svid.id, API);
  assert.deepEqual(first.rootsPem, [mesh.rootPem]);
  const leaf = new X509Certificate(first.svid.certificateChainPem);
  assert.ok(leaf.checkPrivateKey(createPrivateKey(first.svid.privateKeyPem)));
  assert.equal(leaf.serialNumber, first.svid.serialNumber);
  assert.notEqual(first.svid.serialNumber, second.svid.serialNumber);
  assert.ok(!createPublicKey(second.svid.privateKeyPem).equals(leaf.publicKey));
});
