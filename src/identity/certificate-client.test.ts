import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { type TestContext, test } from "node:test";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { systemClock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { silentLog } from "../runtime/log.ts";
import { WatchedValue } from "../runtime/watched.ts";
import {
  type IstioCertificateRequest,
  IstioCertificateService,
} from "../wire/gen/istio/v1/auth/ca_pb.ts";
import { type Caller, grpcService, unary } from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { startSecureGrpcServer } from "../wire/secure-grpc-server.ts";
import {
  CertificateAnswerError,
  certificateClient,
  type RequestCertificate,
  readAnswer,
} from "./certificate-client.ts";
import { createCertificateRequest, parseCertificateRequest } from "./certificate-request.ts";
import { issuerOf, signLeafCertificate } from "./sign-certificate.ts";
import { parseSpiffeId } from "./spiffe-id.ts";

const now = new Date();
const DAY_MS = 86_400_000;
const mesh = createThrowawayAuthority({ now });
const stranger = createThrowawayAuthority({ now });
const svid = mesh.svid("spiffe://cluster.local/ns/shop/sa/cart");
const { privateKeyPem } = svid;
const leaf = svid.certificateChainPem;
const server = createCertificateRequest();
const serverLeaf = mesh.authority.issueServer({
  publicKey: createPublicKey(server.privateKeyPem),
  dnsNames: ["cart"],
  ipAddresses: [],
  lifetimeMs: DAY_MS,
  now,
}).certificatePem;

/** What a workload could make with its own key: a certificate for another identity. */
const forged = {
  pem: signLeafCertificate(
    {
      publicKey: createPublicKey(privateKeyPem),
      names: { uris: ["spiffe://cluster.local/ns/shop/sa/admin"], dnsNames: [], ipAddresses: [] },
      serialNumber: Buffer.of(7),
      notBefore: new Date(now.getTime() - 60_000),
      notAfter: new Date(now.getTime() + DAY_MS),
    },
    issuerOf(new X509Certificate(leaf), createPrivateKey(privateKeyPem)),
  ),
};

test("CA-2: leaf first, roots last; the roots may be several", () => {
  const answer = readAnswer([leaf, mesh.rootPem + stranger.rootPem], { privateKeyPem, now });
  assert.equal(answer.svid.id, parseSpiffeId("spiffe://cluster.local/ns/shop/sa/cart"));
  assert.equal(answer.svid.certificateChainPem, leaf);
  assert.equal(answer.svid.serialNumber, svid.serialNumber);
  assert.equal(answer.svid.issuedAt, now);
  assert.deepEqual(answer.rootsPem, [mesh.rootPem, stranger.rootPem]);
});

const refused: [what: string, chain: readonly string[], problem: RegExp, at?: Date][] = [
  ["CA-2: one element", [leaf], /no CERTIFICATE/],
  ["no element", [], /no CERTIFICATE/],
  [
    "another workload's key",
    [mesh.svid("spiffe://x/a").certificateChainPem, mesh.rootPem],
    /another key/,
  ],
  ["a root that did not sign it", [leaf, stranger.rootPem], /no trusted root/],
  [
    "an unrelated intermediate",
    [leaf, stranger.rootPem, mesh.rootPem],
    /than that of the next one/,
  ],
  ["a workload that signs for others", [forged.pem, leaf, mesh.rootPem], /not a CA/],
  ["what is not PEM", ["leaf", mesh.rootPem], /not PEM/],
  ["an expired certificate", [leaf, mesh.rootPem], /expired/, new Date(now.getTime() + 2 * DAY_MS)],
  ["one from the future", [leaf, mesh.rootPem], /valid only/, new Date(now.getTime() - DAY_MS)],
];
for (const [what, chain, problem, at = now] of refused) {
  test(`refuses ${what}`, () => {
    assert.throws(
      () => readAnswer(chain, { privateKeyPem, now: at }),
      (error) => {
        assert.ok(error instanceof CertificateAnswerError);
        assert.match(describeError(error), problem);
        return true;
      },
    );
  });
}

test("refuses a certificate that names no workload", () => {
  assert.throws(
    () => readAnswer([serverLeaf, mesh.rootPem], { privateKeyPem: server.privateKeyPem, now }),
    (error) => error instanceof CertificateAnswerError && /no URI/.test(describeError(error)),
  );
});

const WORKLOAD = "spiffe://cluster.local/ns/shop/sa/cart";

/** A certificate service that is shown a token or a certificate, and says which of them it takes. */
async function serviceThatTakes(
  context: TestContext,
  takes: (caller: Caller) => boolean,
): Promise<{ readonly port: number; readonly shown: readonly string[] }> {
  const shown: string[] = [];
  const createCertificate = unary(async ({ csr }: IstioCertificateRequest, caller: Caller) => {
    shown.push(caller.certificate === undefined ? "token" : "certificate");
    if (!takes(caller)) throw new GrpcStatusError("UNAUTHENTICATED", "no");
    const { publicKey } = parseCertificateRequest(csr);
    const id = parseSpiffeId(WORKLOAD);
    const issued = mesh.authority.issue({ publicKey, id, lifetimeMs: DAY_MS, now });
    const { chainPem } = await issued;
    return { certChain: [...chainPem, mesh.rootPem] };
  }, silentLog);
  const server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity: new WatchedValue({ ...mesh.serverCertificate(), clientRootsPem: [mesh.rootPem] }),
    services: [grpcService(IstioCertificateService, { createCertificate })],
    maxReceiveBytes: 65_536,
    log: silentLog,
  });
  context.after(() => server.close());
  return { port: server.port, shown };
}

function clientOf(port: number): RequestCertificate {
  return certificateClient({
    controlPlane: `127.0.0.1:${port}`,
    rootsPem: () => [mesh.rootPem],
    lifetimeSeconds: 60,
    clock: systemClock,
  });
}

const signal = AbortSignal.timeout(60_000);

test("CA-5: a token that is taken is all that is shown", async (context) => {
  const { port, shown } = await serviceThatTakes(context, ({ certificate }) => !certificate);
  const issued = await clientOf(port)({ token: "good", current: svid, signal });
  assert.equal(issued.authenticatedBy, "token");
  assert.deepEqual(shown, ["token"]);
});

test("CA-5: where the token is refused, the certificate that is still valid proves the workload", async (context) => {
  const { port, shown } = await serviceThatTakes(context, ({ certificate }) => !!certificate);
  const issued = await clientOf(port)({ token: "expired", current: svid, signal });
  assert.equal(issued.authenticatedBy, "certificate");
  assert.notEqual(issued.svid.privateKeyPem, svid.privateKeyPem);
  assert.deepEqual(shown, ["token", "certificate"]);
});

test("without either it is refused; a service that is away is not asked twice", async (context) => {
  const { port, shown } = await serviceThatTakes(context, () => false);
  await assert.rejects(clientOf(port)({ token: "expired", signal }), GrpcStatusError);
  assert.deepEqual(shown, ["token"]);
  await assert.rejects(
    clientOf(1)({ token: "good", current: svid, signal }),
    (error) => error instanceof GrpcStatusError && error.status === "UNAVAILABLE",
  );
});
