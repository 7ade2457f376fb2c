import assert from "node:assert/strict";
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { authorityParts } from "../../test/kit/authority-folder.ts";
import { buildRevocationList } from "../../test/kit/certificate-builder.ts";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { authenticateCaller } from "../ca/caller.ts";
import { CertificateAuthority } from "../ca/certificate-authority.ts";
import { impersonationRule } from "../ca/impersonation.ts";
import { type IssueLog, IssueLogError, openIssueLog } from "../ca/issue-log.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { ServiceAccountTokens } from "../ca/service-account-tokens.ts";
import { CONTROL_PLANE_NAME, certificateClient } from "../identity/certificate-client.ts";
import { createCertificateRequest } from "../identity/certificate-request.ts";
import { spiffeIdOfCertificate } from "../identity/peer-certificate.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { IstioCertificateService } from "../wire/gen/istio/v1/auth/ca_pb.ts";
import { GrpcClient } from "../wire/grpc-client.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import {
  type SecureGrpcServer,
  type ServerIdentity,
  startSecureGrpcServer,
} from "../wire/secure-grpc-server.ts";
import { authorityMetrics } from "./authority-metrics.ts";
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
const livePods = new Set([
  "production/api-0/uid-1/api",
  "production/database-0/uid-2/database",
  "istio-system/ztunnel-0/uid-3/ztunnel",
]);
const issuer = new WatchedValue<CertificateAuthority>(mesh.authority);
const trust = new WatchedValue<AuthorityTrust>(trustIn(mesh.rootPem));
const clock = { now: () => new Date(Date.now() + clockShiftMs) };
let clockShiftMs = 0;
const metrics = authorityMetrics({ issuer, trust, clock });
let server: SecureGrpcServer;
let folder: string;
let issueLog: IssueLog;
let bookIsFull = false;

function trustIn(...rootsPem: string[]): AuthorityTrust {
  return { rootsPem, taintedAuthorities: [], crlsPem: [] };
}

function serverIdentity(): ServerIdentity {
  return { ...mesh.serverCertificate(), clientRootsPem: [mesh.rootPem] };
}

function isLiveAccount(account: { namespace: string; serviceAccount: string }): boolean {
  return [...livePods].some(
    (pod) => pod.startsWith(`${account.namespace}/`) && pod.endsWith(`/${account.serviceAccount}`),
  );
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  issueLog = await openIssueLog({ directory: folder, clock, log });
  const authenticate = authenticateCaller({
    trustDomain: "cluster.local",
    tokens,
    isLivePod: ({ namespace, name, uid, serviceAccount }) =>
      livePods.has(`${namespace}/${name}/${uid}/${serviceAccount}`),
    holderOf: (serial, key) => issueLog.holderOf(serial, key),
    trust,
    clock,
  });
  server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity,
    services: [
      certificateService({
        issuer,
        trust,
        authenticate,
        authorizeImpersonation: impersonationRule({
          trustedAccounts: new Set(["istio-system/ztunnel"]),
          trustDomain: "cluster.local",
          runsBeside: isLiveAccount,
        }),
        issueLog: {
          append: async (record) => {
            if (bookIsFull) throw new IssueLogError("the issue log cannot be written");
            await issueLog.append(record);
          },
          holderOf: (serial, key) => issueLog.holderOf(serial, key),
          validOf: (holder) => issueLog.validOf(holder),
          close: () => issueLog.close(),
        },
        metrics,
        cluster: "west",
        clock,
        log,
      }),
    ],
    maxReceiveBytes: MAX_BYTES,
    log,
  });
});
after(async () => {
  await server.close();
  await issueLog.close();
  await rm(folder, { recursive: true });
});

const bearer = {
  namespace: "production",
  podName: "api-0",
  podUid: "uid-1",
  serviceAccount: "api",
};

function issueToken(changes: Partial<typeof bearer> = {}): Promise<string> {
  return tokens.issue({ ...bearer, ...changes, now: new Date(), lifetimeMs: 10 * MINUTE_MS });
}

/** A certificate that the service has issued to the pod, and its key. */
async function bought(
  changes: Partial<typeof bearer> = {},
  lifetimeSeconds = 0n,
): Promise<{ readonly chainPem: string; readonly privateKeyPem: string }> {
  const { csrPem: csr, privateKeyPem } = createCertificateRequest();
  const chain = await attempt({ token: await issueToken(changes), csr, lifetimeSeconds });
  return { chainPem: chain.slice(0, -1).join(""), privateKeyPem };
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

test("CA-1, CA-8: what Istio's agent sends beside its request is no hindrance", async () => {
  const { csrPem: csr } = createCertificateRequest({ uris: [API] });
  const chain = await attempt({
    token: await issueToken(),
    csr,
    metadata: { CertSigner: "" },
    lifetimeSeconds: 86_400n,
    headers: { clusterid: "west" },
  });
  assert.equal(spiffeIdOfCertificate(leafOf(chain)), API);
  assert.ok(chain.length > 1, "it takes one certificate alone for none");
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

const DATABASE_POD = { podName: "database-0", podUid: "uid-2", serviceAccount: "database" };

test("CA-5: a verified client certificate is who calls, whatever token stands beside it", async () => {
  const certificate = await bought(DATABASE_POD);
  const chain = await attempt({ certificate, token: await issueToken() });
  assert.equal(spiffeIdOfCertificate(leafOf(chain)), DATABASE);
  const record = (await readBook()).at(-1);
  assert.equal(record?.["authenticatedBy"], "certificate");
  assert.deepEqual(record["pod"], { namespace: "production", name: "database-0", uid: "uid-2" });
});

test("beyond CA-5: a certificate renews itself for its pod, and dies with it although its account lives on", async () => {
  const { csrPem: csr, privateKeyPem } = createCertificateRequest();
  const first = await bought();
  const chain = await attempt({ certificate: first, csr });
  const renewed = { chainPem: chain.slice(0, -1).join(""), privateKeyPem };
  assert.equal((await attempt({ certificate: renewed })).length, 2);
  livePods.delete("production/api-0/uid-1/api");
  livePods.add("production/api-1/uid-9/api");
  try {
    for (const certificate of [first, renewed])
      await assertRefused({ certificate }, { status: "UNAUTHENTICATED", logged: /does not run/ });
  } finally {
    livePods.delete("production/api-1/uid-9/api");
    livePods.add("production/api-0/uid-1/api");
  }
});

for (const [what, certificateOf] of [
  [
    "that another control plane has issued",
    async () => {
      const { certificateChainPem: chainPem, privateKeyPem } = mesh.svid(API);
      return { chainPem, privateKeyPem };
    },
  ],
  [
    "that another control plane has issued with the number of one of ours",
    async () => {
      const { id, serialNumber: serial, ...svid } = mesh.svid(API);
      const { notAfter, certificateChainPem: chainPem, privateKeyPem } = svid;
      const pod = {
        namespace: "production",
        podName: "api-0",
        podUid: "uid-1",
        serviceAccount: "api",
      };
      const asked = {
        time: clock.now(),
        authenticatedBy: "token",
        remote: "",
        issuer: "",
      } as const;
      const publicKeySha256 = "ab".repeat(32);
      await issueLog.append({ ...asked, serial, identity: id, pod, notAfter, publicKeySha256 });
      assert.deepEqual(issueLog.holderOf(serial, publicKeySha256)?.pod, pod);
      return { chainPem, privateKeyPem };
    },
  ],
  [
    "that a node agent has got in a pod's name",
    async () => {
      const { csrPem: csr, privateKeyPem } = createCertificateRequest();
      const metadata = { ImpersonatedIdentity: DATABASE };
      const chain = await attempt({ token: await issueToken(agent), csr, metadata });
      return { chainPem: chain.slice(0, -1).join(""), privateKeyPem };
    },
  ],
] as const)
  test(`beyond CA-5: a certificate ${what} buys none`, async () => {
    const certificate = await certificateOf();
    const expected = { status: "UNAUTHENTICATED", logged: /the issue log knows no pod/ };
    await assertRefused({ certificate }, expected);
  });

/** Asks again and again on one connection, made with that certificate. */
function asking(certificate: { readonly chainPem: string; readonly privateKeyPem: string }) {
  const client = new GrpcClient({
    address: `127.0.0.1:${server.port}`,
    serverName: CONTROL_PLANE_NAME,
    rootsPem: [mesh.rootPem],
    maxReceiveBytes: MAX_BYTES,
    certificate,
  });
  const request = { csr: createCertificateRequest().csrPem, validityDuration: 0n };
  const { createCertificate } = IstioCertificateService.method;
  return {
    ask: async () =>
      (await client.unary(createCertificate, request, { timeoutMs: 10_000 })).certChain,
    close: () => client.close(),
  };
}

const isUnauthenticated = ({ status }: GrpcStatusError): boolean => status === "UNAUTHENTICATED";

test("a certificate whose root has left buys nothing, on a connection that is older than that either", async () => {
  const next = createThrowawayAuthority();
  const connection = asking(await bought(DATABASE_POD));
  try {
    assert.equal((await connection.ask()).length, 2);
    issuer.set(next.authority);
    identity.set({ ...identity.current, clientRootsPem: [next.rootPem] });
    trust.set(trustIn(next.rootPem));
    await assert.rejects(connection.ask(), isUnauthenticated);
    assert.match(JSON.stringify(log.lines.at(-1)), /is not trusted any more/);
  } finally {
    connection.close();
    trust.set(trustIn(mesh.rootPem));
    identity.set(serverIdentity());
    issuer.set(mesh.authority);
  }
});

test("a certificate that has expired since its connection was made buys nothing on it", async () => {
  const connection = asking(await bought({}, 3n));
  try {
    assert.equal((await connection.ask()).length, 2);
    clockShiftMs = 4_000;
    await assert.rejects(connection.ask(), isUnauthenticated);
    assert.match(JSON.stringify(log.lines.at(-1)), /the client certificate expired at/);
  } finally {
    clockShiftMs = 0;
    connection.close();
  }
});

test("a revoked certificate buys nothing, on connections old and new (CA-50)", async (context) => {
  const { signing, root } = authorityParts();
  const authority = new CertificateAuthority({
    certificatePem: signing.pem,
    privateKey: signing.privateKey,
    rootsPem: [root.pem],
    intermediatesPem: [signing.pem],
  });
  const roots = [mesh.rootPem, root.pem];
  trust.set(trustIn(...roots));
  issuer.set(authority);
  identity.set({ ...serverIdentity(), clientRootsPem: roots });
  const certificate = await bought();
  const connection = asking(certificate);
  context.after(() => connection.close());
  try {
    assert.equal((await connection.ask()).length, 3);
    const { serialNumber } = new X509Certificate(certificate.chainPem);
    for (const list of [
      buildRevocationList(signing, { revoked: [{ serialNumber }] }),
      buildRevocationList(root, { revoked: [{ serialNumber: "02" }] }),
    ]) {
      trust.set({ ...trustIn(...roots), crlsPem: [list] });
      await assert.rejects(connection.ask(), isUnauthenticated);
      const expected = { status: "UNAUTHENTICATED", logged: /is revoked since/ };
      await assertRefused({ certificate, token: await issueToken() }, expected);
    }
    assert.ok((await attempt({ token: await issueToken() })).length > 0, "a token is good still");
  } finally {
    trust.set(trustIn(mesh.rootPem));
    identity.set(serverIdentity());
    issuer.set(mesh.authority);
  }
});

test("whoever asks without end is refused, told of once, and keeps nothing from the others", async () => {
  livePods.add("greedy/greedy-0/uid-7/greedy");
  const greedy = {
    namespace: "greedy",
    podName: "greedy-0",
    podUid: "uid-7",
    serviceAccount: "greedy",
  };
  const connection = asking(await bought(greedy));
  const told = () => log.find("certificate refused: too many were asked for").length;
  const before = told();
  const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => connection.ask()));
  const refusals = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  assert.ok(refusals.length >= 130 && refusals.length <= 141, `${refusals.length} of 200 refused`);
  for (const { status } of refusals) assert.equal(status, "RESOURCE_EXHAUSTED");
  assert.equal(told() - before, 1);
  assert.equal((await attempt({ token: await issueToken() })).length, 2);
  connection.close();
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

const agent = {
  namespace: "istio-system",
  podName: "ztunnel-0",
  podUid: "uid-3",
  serviceAccount: "ztunnel",
};

test("CA-9: a trusted node agent is certified as a pod beside it, and the book says who asked", async () => {
  const { csrPem: csr } = createCertificateRequest({ uris: [DATABASE] });
  const token = await issueToken(agent);
  const chain = await attempt({ token, csr, metadata: { ImpersonatedIdentity: DATABASE } });
  assert.equal(spiffeIdOfCertificate(leafOf(chain)), DATABASE);
  const last = (await readBook()).at(-1);
  assert.equal(last?.["identity"], DATABASE);
  assert.equal(last?.["impersonatedBy"], "spiffe://cluster.local/ns/istio-system/sa/ztunnel");
});

test("CA-9: without a name, a node agent is certified as itself", async () => {
  const token = await issueToken(agent);
  const chain = await attempt({ token, metadata: { ImpersonatedIdentity: "" } });
  assert.match(spiffeIdOfCertificate(leafOf(chain)), /sa\/ztunnel$/);
});

const impersonations: [who: string, bearer: typeof agent, identity: string, logged: RegExp][] = [
  ["QK-31: an account that is not trusted", bearer, DATABASE, /not in CA_TRUSTED_NODE_ACCOUNTS/],
  ["an account without a pod", agent, "spiffe://cluster.local/ns/shop/sa/cart", /no pod runs/],
  ["a foreign trust domain", agent, DATABASE.replace("cluster", "other"), /foreign trust domain/],
  ["what is no identity", agent, "production/database", /no workload's identity/],
  ["another form of identity", agent, "spiffe://cluster.local/production", /no workload's/],
];
for (const [who, asking, identity, logged] of impersonations) {
  test(`CA-9: impersonation is refused, of or to ${who}`, async () => {
    const token = await issueToken(asking);
    const metadata = { ImpersonatedIdentity: identity };
    await assertRefused({ token, metadata }, { status: "UNAUTHENTICATED", logged });
  });
}

test("CA-9: a certificate of a trusted account is not enough, since it names no node", async () => {
  const certificate = await bought(agent);
  const metadata = { ImpersonatedIdentity: DATABASE };
  await assertRefused(
    { certificate, metadata },
    { status: "UNAUTHENTICATED", logged: /did not show the token of a pod/ },
  );
});

async function readBook(): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(join(folder, "issued.jsonl"), "utf8")).trimEnd().split("\n");
  return lines.map((line): Record<string, unknown> => JSON.parse(line));
}

test("every certificate is in the issue log, with who asked for it", async () => {
  const { csrPem: csr } = createCertificateRequest();
  const leaf = leafOf(await attempt({ token: await issueToken(), csr }));
  const record = (await readBook()).find(({ serial }) => serial === leaf.serialNumber);
  const spki = leaf.publicKey.export({ type: "spki", format: "der" });
  assert.ok(record !== undefined);
  assert.match(String(record["remote"]), /^127\.0\.0\.1:\d+$/);
  const { time, remote, ...told } = record;
  assert.deepEqual(told, {
    serial: leaf.serialNumber,
    identity: API,
    authenticatedBy: "token",
    pod: { namespace: "production", name: "api-0", uid: "uid-1" },
    notAfter: new Date(leaf.validTo).toISOString(),
    issuer: mesh.authority.id,
    publicKeySha256: createHash("sha256").update(spki).digest("hex"),
  });
});

test("what cannot be written down is not issued", async () => {
  bookIsFull = true;
  try {
    const token = await issueToken();
    await assertRefused({ token }, { status: "INTERNAL", logged: /HAUBERK_ISSUE_LOG/ });
  } finally {
    bookIsFull = false;
  }
  assert.equal((await attempt({ token: await issueToken() })).length, 2);
});

test("CA-2, CA-46: the next authority signs from the moment it is the issuer, roots are those trusted", async () => {
  const next = createThrowawayAuthority();
  trust.set(trustIn(mesh.rootPem, next.rootPem));
  issuer.set(next.authority);
  try {
    const chain = await attempt({ token: await issueToken() });
    assert.equal(chain.at(-1), `${mesh.rootPem}${next.rootPem}`);
    assert.ok(leafOf(chain).verify(next.authority.certificate.publicKey));
    assert.equal((await readBook()).at(-1)?.["issuer"], next.authority.id);
  } finally {
    issuer.set(mesh.authority);
    trust.set(trustIn(mesh.rootPem));
  }
});

test("CA-12: the metrics count by Istio's names what happened", async () => {
  const before = await counts();
  await attempt({ token: await issueToken() });
  await assert.rejects(attempt({ token: "a.b.c" }));
  await assert.rejects(attempt({ token: await issueToken(), csr: "none" }));
  await assert.rejects(attempt({ token: await issueToken(), lifetimeSeconds: 10n ** 12n }));
  const { csrPem } = createCertificateRequest({ uris: [DATABASE] });
  await assert.rejects(attempt({ token: await issueToken(), csr: csrPem }));
  const after = await counts();
  const grown = [...after].map(([name, value]) => [name, value - (before.get(name) ?? 0)]);
  assert.deepEqual(Object.fromEntries(grown.filter(([, by]) => by !== 0)), {
    citadel_server_csr_count: 5,
    citadel_server_authentication_failure_count: 1,
    citadel_server_csr_parsing_err_count: 1,
    citadel_server_id_extraction_err_count: 1,
    'citadel_server_csr_sign_err_count{error="CSR_ERROR"}': 1,
    'citadel_server_csr_sign_err_count{error="TTL_ERROR"}': 1,
    citadel_server_success_cert_issuance_count: 1,
  });
});

test("CA-12: the metrics tell when root and chain end", async () => {
  const text = await metrics.metricsText();
  const end = Date.parse(mesh.authority.certificate.validTo) / 1000;
  for (const what of ["root_cert", "cert_chain"]) {
    assert.match(text, new RegExp(`^citadel_server_${what}_expiry_timestamp ${end}$`, "m"));
    const left = new RegExp(`^citadel_server_${what}_expiry_seconds (\\S+)$`, "m").exec(text)?.[1];
    assert.ok(Math.abs(Number(left) - (end - Date.now() / 1000)) < 5, String(left));
  }
});

async function counts(): Promise<Map<string, number>> {
  const lines = (await metrics.metricsText()).split("\n");
  const series = lines.filter((line) => /^citadel_server_\w+_count/.test(line));
  return new Map(series.map((line) => [line.split(" ")[0] ?? "", Number(line.split(" ")[1])]));
}

test("CA-11: what the caller got wrong is INVALID_ARGUMENT", async () => {
  const token = await issueToken();
  const tooLong = { token, lifetimeSeconds: 90n * 86_400n + 1n };
  await assertRefused(tooLong, { status: "INVALID_ARGUMENT", logged: /lifetime/ });
  const broken = { token, csr: "-----BEGIN CERTIFICATE REQUEST-----" };
  await assertRefused(broken, { status: "INVALID_ARGUMENT", logged: /not PEM/ });
});

test("CA-10, CA-11: an authority that cannot sign is INTERNAL", async () => {
  const ended = createThrowawayAuthority({ now: new Date(Date.now() - 11 * 365 * 86_400_000) });
  issuer.set(ended.authority);
  try {
    const token = await issueToken();
    await assertRefused({ token }, { status: "INTERNAL", logged: /authority.*expired/ });
  } finally {
    issuer.set(mesh.authority);
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

test("CA-3: who takes itself to be in another cluster is told of in the log, and served all the same", async () => {
  const told = () => log.find("the caller takes itself to be in another cluster");
  const { signal } = new AbortController();
  for (const cluster of [undefined, "west", "east"]) {
    const before = told().length;
    const request = certificateClient({
      controlPlane: `127.0.0.1:${server.port}`,
      rootsPem: () => [mesh.rootPem],
      lifetimeSeconds: 3_600,
      cluster,
      clock,
    });
    assert.equal((await request({ token: await issueToken(), signal })).svid.id, API);
    assert.equal(told().length - before, cluster === "east" ? 1 : 0);
  }
  const { caller, named, cluster } = told().at(-1)?.fields ?? {};
  assert.deepEqual({ caller, named, cluster }, { caller: API, named: "east", cluster: "west" });
});

test("CA-2: the certificate client returns a checked SVID with a new key each time", async () => {
  const request = certificateClient({
    controlPlane: `127.0.0.1:${server.port}`,
    rootsPem: () => [mesh.rootPem],
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
