/** Servers outside that are not who they must be, or prove it badly: real TLS, and no byte is said to them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createServer, type TlsOptions } from "node:tls";
import {
  type BuiltCertificate,
  buildCertificate,
  buildRevocationList,
  type CertificateOptions,
  ecKeys,
} from "../../../test/kit/certificate-builder.ts";
import { LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";
import type { TlsMaterial, TlsOrigination } from "../../policy/tls-origination.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { silentLog } from "../../runtime/log.ts";
import { connectDirectly, UpstreamConnectError } from "../upstream-dialer.ts";
import { dialOriginated } from "./originated-dial.ts";
import { Originations } from "./originations.ts";

const HOST = "api.example.com";
const DAY_MS = 86_400_000;
const folder = await mkdtemp(join(tmpdir(), "hostile-servers-"));
after(() => rm(folder, { recursive: true, force: true }));

const root = buildCertificate({ subject: { commonName: "root" } });
const stranger = buildCertificate({ subject: { commonName: "stranger" } });
const constrained = buildCertificate({
  subject: { commonName: "of example.org" },
  issuer: root,
  permittedDomains: ["example.org"],
});

function leaf(options: CertificateOptions = {}): BuiltCertificate {
  return buildCertificate({
    subject: { organization: "Shop" },
    issuer: root,
    authority: false,
    usage: ["digitalSignature"],
    dnsNames: [HOST],
    serialNumber: "05",
    ...options,
  });
}

/** Serves, and counts what it hears. */
async function serving(
  certificate: BuiltCertificate,
  { chain = [], ...options }: { readonly chain?: readonly BuiltCertificate[] } & TlsOptions = {},
) {
  let heard = 0;
  const cert = [certificate, ...chain].map(({ pem }) => pem).join("");
  const server = createServer({ cert, key: certificate.keyPem, ...options }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      heard += bytes.length;
    });
  });
  server.on("tlsClientError", () => {});
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  after(() => server.close());
  return { address: LOOPBACK, port: portOf(server), heard: () => heard };
}

const trusted = (parts: Partial<Extract<TlsMaterial, { from: "secret" }>> = {}): TlsMaterial => ({
  from: "secret",
  name: "shop/outside",
  caPem: root.pem,
  ...parts,
});

/** @returns "called", or why not */
async function dialled(
  to: { readonly address: string; readonly port: number },
  origination: Partial<TlsOrigination> = {},
  host = HOST,
): Promise<string> {
  const originations = new Originations({ log: silentLog, changed: () => {} });
  try {
    const { socket } = await dialOriginated(to, {
      origination: { mode: "SIMPLE", verification: "name", material: trusted(), ...origination },
      host,
      content: "HTTP/1.1",
      originations,
      connect: connectDirectly,
      connectMs: 5_000,
    });
    socket.destroy();
    return "called";
  } catch (error) {
    assert.ok(error instanceof UpstreamConnectError);
    return describeError(error.cause);
  } finally {
    originations.close();
  }
}

const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const ordinary = leaf();

const certificates: readonly [
  what: string,
  server: BuiltCertificate,
  chain: readonly BuiltCertificate[],
  refused: RegExp | undefined,
][] = [
  ["an ordinary one", ordinary, [], undefined],
  ["one for servers", leaf({ extendedUsage: [SERVER_AUTH] }), [], undefined],
  ["one for clients alone", leaf({ extendedUsage: [CLIENT_AUTH] }), [], /not trusted/],
  ["one that has ended", leaf({ notAfter: new Date(Date.now() - DAY_MS) }), [], /EXPIRED/],
  [
    "one that has not begun",
    leaf({ notBefore: new Date(Date.now() + DAY_MS) }),
    [],
    /NOT_YET_VALID/,
  ],
  [
    "one that signs itself",
    buildCertificate({ subject: { organization: "Shop" }, dnsNames: [HOST], authority: false }),
    [],
    /not trusted/,
  ],
  [
    "one that is signed in the name of the root, by another key",
    leaf({ issuer: { ...root, ...ecKeys() } }),
    [],
    /not trusted/,
  ],
  [
    "one of a stranger's, with the stranger's root",
    leaf({ issuer: stranger }),
    [stranger],
    /not trusted/,
  ],
  [
    "one that a server's certificate has signed",
    leaf({ issuer: ordinary }),
    [ordinary],
    /not trusted/,
  ],
  [
    "one beyond what its authority may sign",
    leaf({ issuer: constrained }),
    [constrained],
    /not trusted/,
  ],
  [
    "one whose authority may sign it",
    leaf({ issuer: constrained, dnsNames: ["api.example.org"] }),
    [constrained],
    /is of DNS:api\.example\.org, and not of api\.example\.com/,
  ],
  [
    "one with the host as its common name alone",
    leaf({ subject: { commonName: HOST }, dnsNames: [] }),
    [],
    /not of api\.example\.com/,
  ],
  [
    "one that demands what nobody knows",
    leaf({ unknownCritical: ["1.2.3.4.5"] }),
    [],
    /not trusted/,
  ],
  ["one for all of a top domain", leaf({ dnsNames: ["*.com"] }), [], /not of/],
  ["one for everything", leaf({ dnsNames: ["*"] }), [], /not of/],
  ["one with part of a label", leaf({ dnsNames: ["a*.example.com"] }), [], /not of/],
  ["one of a subdomain", leaf({ dnsNames: [`x.${HOST}`] }), [], /not of/],
  [
    "one with a zero in its name",
    leaf({ dnsNames: [`${HOST}\0.evil.example`] }),
    [],
    /not of|not trusted/,
  ],
];
for (const [what, server, chain, refused] of certificates) {
  test(`a server with ${what} is ${refused === undefined ? "called" : "refused"}`, async () => {
    const at = await serving(server, { chain });
    const found = await dialled(at);
    if (refused === undefined) assert.equal(found, "called");
    else assert.match(found, refused);
    assert.equal(at.heard(), 0);
  });
}

test("a list of revoked certificates counts, also one that has ended, or is of another authority", async () => {
  const at = await serving(ordinary);
  const list = (options: Parameters<typeof buildRevocationList>[1], issuer = root) => ({
    material: trusted({ crlPem: buildRevocationList(issuer, options) }),
  });
  const past = {
    thisUpdate: new Date(Date.now() - 9 * DAY_MS),
    nextUpdate: new Date(Date.now() - DAY_MS),
  };
  assert.equal(await dialled(at, list({})), "called");
  assert.match(await dialled(at, list({ revoked: [{ serialNumber: "05" }] })), /REVOKED/);
  assert.match(await dialled(at, list(past)), /CRL_HAS_EXPIRED/);
  assert.match(await dialled(at, list({}, stranger)), /UNABLE_TO_GET_CRL/);
  assert.match(await dialled(at, list({ signer: stranger })), /CRL_SIGNATURE_FAILURE/);
});

test("a server of old TLS, or of weak suites, is not called", async () => {
  for (const options of [
    { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
    { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA" },
  ] as const) {
    const at = await serving(ordinary, options);
    assert.notEqual(await dialled(at, { verification: "nothing" }), "called");
  }
});

test("a session is never resumed: each connection has a handshake of its own", async () => {
  const at = await serving(ordinary, { maxVersion: "TLSv1.2" });
  const origination = { mode: "SIMPLE", verification: "name", material: trusted() } as const;
  const originations = new Originations({ log: silentLog, changed: () => {} });
  const call = { origination, host: HOST, content: "HTTP/1.1", originations } as const;
  for (let time = 0; time < 3; time++) {
    const { socket } = await dialOriginated(at, {
      ...call,
      connect: connectDirectly,
      connectMs: 5_000,
    });
    assert.equal("isSessionReused" in socket && typeof socket.isSessionReused, "function");
    if ("isSessionReused" in socket && typeof socket.isSessionReused === "function")
      assert.equal(socket.isSessionReused(), false);
    socket.destroy();
  }
});

/** What a rule may name is any file that the sidecar can read: what is told of it is that it cannot be used. */
const files: readonly [what: string, field: string, text: string | undefined][] = [
  ["that is not there", "caCertificates", undefined],
  ["without a certificate", "caCertificates", "root:secret-hash:19000::::"],
  ["with a key only", "caCertificates", ordinary.keyPem],
  ["without a list", "caCrl", "root:secret-hash:19000::::"],
  ["without a key", "privateKey", "root:secret-hash:19000::::"],
  ["with a key of another", "privateKey", stranger.keyPem],
  ["without the client's certificate", "clientCertificate", "root:secret-hash:19000::::"],
];
for (const [what, field, text] of files) {
  test(`a file ${what} as ${field}: no connection, and nothing of the file is told`, async () => {
    const at = await serving(ordinary, { requestCert: true, rejectUnauthorized: false });
    const place = async (name: string, content: string): Promise<string> => {
      const path = join(folder, name);
      await writeFile(path, content);
      return path;
    };
    const good = {
      caCertificates: await place("ca.pem", root.pem),
      clientCertificate: await place("cert.pem", ordinary.pem),
      privateKey: await place("key.pem", ordinary.keyPem),
    };
    assert.equal(
      await dialled(at, { mode: "MUTUAL", material: { from: "files", ...good } }),
      "called",
    );
    const path = text === undefined ? join(folder, "absent") : await place("odd", text);
    const material = { from: "files", ...good, [field]: path } as const;
    const found = await dialled(at, { mode: "MUTUAL", material });
    assert.notEqual(found, "called");
    assert.doesNotMatch(found, /secret-hash|BEGIN|19000/);
    assert.equal(at.heard(), 0);
  });
}
