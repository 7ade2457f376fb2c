import assert from "node:assert/strict";
import { test } from "node:test";
import { buildCertificate } from "../../test/kit/certificate-builder.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { IstioCertificateService } from "./gen/istio/v1/auth/ca_pb.ts";
import { GrpcClient } from "./grpc-client.ts";
import { type Caller, grpcService, unary } from "./grpc-service.ts";
import { startSecureGrpcServer } from "./secure-grpc-server.ts";

const mesh = createThrowawayAuthority();
const root = buildCertificate({ subject: { organization: "Root" } });
const below = buildCertificate({ subject: { organization: "Below" }, issuer: root });
const leaf = buildCertificate({
  subject: {},
  issuer: below,
  authority: false,
  usage: ["digitalSignature"],
  uris: ["spiffe://cluster.local/ns/shop/sa/cart"],
});

test("a caller's certificate comes with those above it, in every call of its connection", async (context) => {
  const callers: Caller[] = [];
  const log = recordedLog();
  const server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity: new WatchedValue({ ...mesh.serverCertificate(), clientRootsPem: [root.pem] }),
    services: [
      grpcService(IstioCertificateService, {
        createCertificate: unary(async (_, caller) => {
          callers.push(caller);
          return { certChain: [] };
        }, log),
      }),
    ],
    maxReceiveBytes: 65_536,
    log,
  });
  context.after(() => server.close());
  const client = new GrpcClient({
    address: `127.0.0.1:${server.port}`,
    serverName: "localhost",
    rootsPem: [mesh.rootPem],
    maxReceiveBytes: 65_536,
    certificate: { chainPem: leaf.pem + below.pem, privateKeyPem: leaf.keyPem },
  });
  context.after(() => client.close());
  for (const csr of ["one", "two"])
    await client.unary(
      IstioCertificateService.method.createCertificate,
      { csr },
      { timeoutMs: 5_000 },
    );
  for (const { certificate } of callers) {
    assert.equal(certificate?.fingerprint256, leaf.certificate.fingerprint256);
    assert.equal(certificate?.issuerCertificate?.fingerprint256, below.certificate.fingerprint256);
  }
  assert.equal(callers.length, 2);
});
