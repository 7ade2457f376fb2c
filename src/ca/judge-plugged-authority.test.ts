import assert from "node:assert/strict";
import { test } from "node:test";
import {
  authorityFiles,
  authorityFolder,
  authorityParts,
} from "../../test/kit/authority-folder.ts";
import {
  buildCertificate,
  type CertificateOptions,
  ecKeys,
  rsaKeys,
} from "../../test/kit/certificate-builder.ts";
import { PluggedAuthorityError } from "./plugged-authority.ts";
import { readPluggedAuthority } from "./read-plugged-authority.ts";

const now = new Date();
const DAY_MS = 86_400_000;
const parts = authorityParts();
const { root, signing } = parts;
const files = authorityFiles(parts);

/** The four files with another certificate that signs. */
function signedBy(options: CertificateOptions, above = root): Record<string, string> {
  const own = buildCertificate({ issuer: above, subject: { organization: "Signing" }, ...options });
  return {
    "ca-cert.pem": own.pem,
    "ca-key.pem": own.keyPem,
    "root-cert.pem": root.pem,
    "cert-chain.pem": own.pem + (above === root ? "" : above.pem),
  };
}

/** The four files with another root. */
function rootedIn(options: CertificateOptions): Record<string, string> {
  const own = buildCertificate({ subject: { organization: "Root" }, ...options });
  return authorityFiles({
    root: own,
    signing: buildCertificate({ subject: { organization: "Signing" }, issuer: own }),
  });
}

const narrow = buildCertificate({
  issuer: root,
  subject: { organization: "Narrow" },
  authority: { pathLength: 0 },
});
const unsigned = buildCertificate({
  issuer: root,
  subject: { organization: "Mute" },
  usage: ["cRLSign"],
});
const encrypted = signing.privateKey.export({
  type: "pkcs8",
  format: "pem",
  cipher: "aes-256-cbc",
  passphrase: "x",
});
const legacy = rsaKeys().privateKey.export({
  type: "pkcs1",
  format: "pem",
  cipher: "aes-256-cbc",
  passphrase: "x",
});
const impostor = buildCertificate({
  subject: { organization: "Company Inc.", commonName: "Root CA" },
  keyIdentifiers: false,
});
const without = (name: string): Record<string, string> => {
  const { [name]: _left, ...others } = files;
  return others;
};

const refused: [what: string, files: Record<string, string>, problems: RegExp[]][] = [
  [
    "CA-44: no file at all",
    {},
    [
      /ca-cert\.pem is missing/,
      /ca-key\.pem is missing/,
      /cert-chain\.pem is missing/,
      /root-cert\.pem is missing/,
    ],
  ],
  [
    "one of version 1, as `openssl x509 -req` makes it",
    signedBy({ version: 1 }),
    [/^ca-cert\.pem is an X\.509 certificate of version 1, .*-extfile FILE.*CA:TRUE/],
  ],
  [
    "CA-44: a file of four that is missing",
    without("cert-chain.pem"),
    [/^cert-chain\.pem is missing: expected the certificates from ca-cert\.pem/],
  ],
  [
    "CA-44: a TLS secret without its root",
    { "tls.crt": signing.pem, "tls.key": signing.keyPem },
    [/^ca\.crt is missing/],
  ],
  [
    "no certificate in its file",
    { ...files, "ca-cert.pem": "hello" },
    [/^ca-cert\.pem holds no certificate/],
  ],
  [
    "a file cut short",
    { ...files, "root-cert.pem": root.pem.slice(0, 200) },
    [/^root-cert\.pem is not PEM/],
  ],
  [
    "what is no certificate",
    {
      ...files,
      "cert-chain.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    },
    [/^cert-chain\.pem holds something that is not a certificate/],
  ],
  [
    "CA-45: the key of another",
    { ...files, "ca-key.pem": root.keyPem },
    [/^ca-key\.pem is not the key of ca-cert\.pem/],
  ],
  [
    "an encrypted key",
    { ...files, "ca-key.pem": encrypted.toString() },
    [/^ca-key\.pem is encrypted/],
  ],
  [
    "an encrypted key of the older form",
    { ...files, "ca-key.pem": legacy.toString() },
    [/^ca-key\.pem is encrypted/],
  ],
  [
    "a public key",
    {
      ...files,
      "ca-key.pem": signing.publicKey.export({ type: "spki", format: "pem" }).toString(),
    },
    [/^ca-key\.pem holds no private key/],
  ],
  [
    "two keys",
    { ...files, "ca-key.pem": signing.keyPem + root.keyPem },
    [/^ca-key\.pem holds 2 private keys/],
  ],
  ["CA-45: no CA", signedBy({ authority: false }), [/^ca-cert\.pem .*CA:TRUE/]],
  ["a CA that may not sign", signedBy({ usage: ["cRLSign"] }), [/^ca-cert\.pem .*keyCertSign/]],
  [
    "an intermediate that may not sign",
    signedBy({}, unsigned),
    [/^cert-chain\.pem \(certificate 2 of 2, "O=Mute"\) .*keyCertSign/],
  ],
  [
    "a CA for servers only",
    signedBy({ extendedUsage: ["1.3.6.1.5.5.7.3.1"] }),
    [/^ca-cert\.pem .*clientAuth/],
  ],
  [
    "a path length that forbids it",
    signedBy({}, narrow),
    [/"O=Narrow"\) allows at most 0 authorities below it \(pathlen:0\)/],
  ],
  [
    "CA-45: one that is over",
    signedBy({ notAfter: new Date(now.getTime() - DAY_MS) }),
    [/^ca-cert\.pem expired at 20/],
  ],
  [
    "one that is yet to begin",
    signedBy({ notBefore: new Date(now.getTime() + DAY_MS) }),
    [/^ca-cert\.pem is valid only from 20/],
  ],
  [
    "a root that is over",
    rootedIn({ notAfter: new Date(now.getTime() - DAY_MS) }),
    [/^root-cert\.pem expired at 20/],
  ],
  [
    "CA-45: a chain that ends too early",
    {
      ...signedBy({}, buildCertificate({ issuer: narrow, subject: { organization: "Gone" } })),
      "root-cert.pem": root.pem,
    },
    [/^ca-cert\.pem leads to no root: .*"O=Gone".* is issued by "O=Narrow", of which no file/],
  ],
  [
    "another root",
    { ...files, "root-cert.pem": buildCertificate({ subject: { organization: "Else" } }).pem },
    [/^ca-cert\.pem leads to no root: cert-chain\.pem .* is self-signed, but not one of the roots/],
  ],
  [
    "a root of the same name with another key",
    { ...files, "root-cert.pem": impostor.pem, "cert-chain.pem": signing.pem },
    [/^ca-cert\.pem has a signature that is not that of root-cert\.pem/],
  ],
  [
    "a root that is not self-signed",
    { ...files, "root-cert.pem": signing.pem, "cert-chain.pem": signing.pem },
    [/^ca-cert\.pem leads to ca-cert\.pem, which is not self-signed/],
  ],
  [
    "a weak RSA key",
    signedBy({ keys: rsaKeys(1024) }),
    [/^ca-cert\.pem has a key that is not accepted \(rsa 1024\)/],
  ],
  [
    "a curve that peers do not know",
    signedBy({ keys: ecKeys("P-521") }),
    [/^ca-cert\.pem has a key that is not accepted \(ec secp521r1\)/],
  ],
  [
    "a signature with SHA-1",
    signedBy({ hash: "sha1" }),
    [/^ca-cert\.pem is signed with an algorithm that is not accepted .* root-cert\.pem/],
  ],
  [
    "a critical extension that nobody knows",
    signedBy({ unknownCritical: ["1.3.6.1.4.1.1.1"] }),
    [/^ca-cert\.pem has a critical extension/],
  ],
  [
    "several at once, all of them",
    {
      ...signedBy({ usage: ["cRLSign"], notAfter: new Date(now.getTime() - DAY_MS) }),
      "ca-key.pem": root.keyPem,
    },
    [/keyCertSign/, /expired/, /^ca-key\.pem is not the key/],
  ],
];
for (const [what, brought, problems] of refused) {
  test(`refuses ${what}`, async (context) => {
    const folder = await authorityFolder(context, brought);
    await assert.rejects(readPluggedAuthority(folder, { now }), (error) => {
      assert.ok(error instanceof PluggedAuthorityError);
      assert.equal(error.code, "HAUBERK_PLUGGED_AUTHORITY");
      for (const problem of problems)
        assert.ok(
          error.problems.some((each) => problem.test(each)),
          `${problem}: ${error.message}`,
        );
      assert.equal(error.problems.length, problems.length, error.message);
      for (const each of error.problems) assert.ok(error.message.includes(each));
      return true;
    });
  });
}

test("a SHA-1 signature of a root on itself is nobody's concern", async (context) => {
  const keys = rsaKeys();
  const folder = await authorityFolder(context, rootedIn({ keys, hash: "sha1" }));
  assert.equal((await readPluggedAuthority(folder, { now })).rootsPem.length, 1);
});
