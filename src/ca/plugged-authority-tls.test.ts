/** Whether an authority that is taken works in a real handshake, and one that is refused would have failed there. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { authorityFiles, authorityFolder } from "../../test/kit/authority-folder.ts";
import {
  type BuiltCertificate,
  buildCertificate,
  type CertificateOptions,
  ecKeys,
  rsaKeys,
} from "../../test/kit/certificate-builder.ts";
import { readPluggedAuthority } from "./read-plugged-authority.ts";

const BOTH = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];
const leafKeys = ecKeys();

/** What both ends find wrong with one another; undefined when they speak. */
async function handshakeProblem(
  context: TestContext,
  { root, chain }: { readonly root: string; readonly chain: readonly BuiltCertificate[] },
): Promise<string | undefined> {
  const [leaf] = chain;
  assert.ok(leaf !== undefined);
  const cert = chain.map(({ pem }) => pem).join("");
  const own = { key: leaf.keyPem, cert, ca: [root] };
  const server = createServer({ ...own, requestCert: true, rejectUnauthorized: false });
  context.after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, "secureConnection");
  const client = connect({
    ...own,
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  await once(client, "secureConnect");
  const [peer] = (await accepted) as [TLSSocket];
  const problems = [client, peer].map((socket) =>
    socket.authorized ? undefined : String(socket.authorizationError),
  );
  client.destroy();
  return problems.find((problem) => problem !== undefined);
}

function leafOf(issuer: BuiltCertificate): BuiltCertificate {
  return buildCertificate({
    subject: {},
    issuer,
    keys: leafKeys,
    authority: false,
    usage: ["digitalSignature", "keyEncipherment"],
    extendedUsage: BOTH,
    uris: ["spiffe://cluster.local/ns/shop/sa/cart"],
  });
}

interface Case {
  readonly root?: CertificateOptions;
  readonly signing?: CertificateOptions;
  readonly verdict: "taken" | "refused";
}

const cases: Readonly<Record<string, Case>> = {
  "P-256": { verdict: "taken" },
  "an RSA root over a P-384 intermediate": {
    root: { keys: rsaKeys() },
    signing: { keys: ecKeys("P-384") },
    verdict: "taken",
  },
  "an intermediate of RSA 2048": { signing: { keys: rsaKeys() }, verdict: "taken" },
  "the article's: no key identifiers, basicConstraints not critical": {
    root: { usage: false },
    signing: { keyIdentifiers: false, authority: { critical: false } },
    verdict: "taken",
  },
  "no keyUsage": { signing: { usage: false }, verdict: "taken" },
  "path lengths that are just enough": {
    root: { authority: { pathLength: 1 } },
    signing: { authority: { pathLength: 0 } },
    verdict: "taken",
  },
  "an extendedKeyUsage for both": { signing: { extendedUsage: BOTH }, verdict: "taken" },
  "a root that signed itself with SHA-1": {
    root: { keys: rsaKeys(), hash: "sha1" },
    verdict: "taken",
  },
  "too short a path length": { root: { authority: { pathLength: 0 } }, verdict: "refused" },
  "no CA": { signing: { authority: false }, verdict: "refused" },
  "no keyCertSign": { signing: { usage: ["digitalSignature", "cRLSign"] }, verdict: "refused" },
  "a root without keyCertSign": { root: { usage: ["cRLSign"] }, verdict: "refused" },
  "an extendedKeyUsage for servers only": {
    signing: { extendedUsage: BOTH.slice(0, 1) },
    verdict: "refused",
  },
  "an extendedKeyUsage of the root for clients only": {
    root: { extendedUsage: BOTH.slice(1) },
    verdict: "refused",
  },
  "a critical extension that nobody knows": {
    signing: { unknownCritical: ["1.3.6.1.4.1.1.1"] },
    verdict: "refused",
  },
  "an intermediate that is over": {
    signing: { notAfter: new Date(Date.now() - 60_000) },
    verdict: "refused",
  },
};

for (const [what, { root: rootOptions, signing: signingOptions, verdict }] of Object.entries(
  cases,
)) {
  test(`CA-45: ${what} is ${verdict}, as TLS has it`, async (context) => {
    const root = buildCertificate({ subject: { organization: "Root" }, ...rootOptions });
    const signing = buildCertificate({
      subject: { organization: "Signing" },
      issuer: root,
      ...signingOptions,
    });
    const folder = await authorityFolder(context, authorityFiles({ root, signing }));
    const read = readPluggedAuthority(folder, { now: new Date() });
    const problem = await handshakeProblem(context, {
      root: root.pem,
      chain: [leafOf(signing), signing],
    });
    if (verdict === "refused") {
      await assert.rejects(read);
      assert.notEqual(problem, undefined);
      return;
    }
    await read;
    assert.equal(problem, undefined);
  });
}
