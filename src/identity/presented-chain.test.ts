import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { buildCertificate } from "../../test/kit/certificate-builder.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { presentedChain } from "./presented-chain.ts";

const mesh = createThrowawayAuthority();
const root = buildCertificate({ subject: { organization: "Root" } });
const above = buildCertificate({ subject: { organization: "Above" }, issuer: root });
const below = buildCertificate({ subject: { organization: "Below" }, issuer: above });
const leaf = buildCertificate({
  subject: {},
  issuer: below,
  authority: false,
  usage: ["digitalSignature"],
  uris: ["spiffe://cluster.local/ns/shop/sa/cart"],
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const)
  test(`all that a client has sent is seen, however often it is asked for: ${version}`, async () => {
    const { certificateChainPem: cert, privateKeyPem: key } = mesh.serverCertificate();
    const server = createServer({ cert, key, ca: root.pem, requestCert: true }).listen(0);
    try {
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const client = connect({
        port,
        ca: mesh.rootPem,
        cert: leaf.pem + below.pem + above.pem,
        key: leaf.keyPem,
        servername: "localhost",
        minVersion: version,
        maxVersion: version,
      });
      const [socket] = (await once(server, "secureConnection")) as [TLSSocket];
      for (let count = 0; count < 2; count++) {
        const certificate = socket.getPeerX509Certificate();
        assert.ok(certificate);
        assert.deepEqual(
          presentedChain(certificate).map(({ fingerprint256 }) => fingerprint256),
          [leaf, below, above].map((one) => one.certificate.fingerprint256),
        );
      }
      client.destroy();
      socket.destroy();
    } finally {
      server.close();
    }
  });
