import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { AuthorityRefusedError, openAuthority } from "./authority-store.ts";
import { KeyDirectoryError } from "./key-directory.ts";
import { createSelfSignedAuthority } from "./self-signed-authority.ts";

const now = new Date();
const YEAR_MS = 365 * 86_400_000;

async function dataDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "hauberk-ca-"));
  context.after(() => rm(directory, { recursive: true }));
  return directory;
}

const open = (directory: string, at = now) =>
  openAuthority({ directory, trustDomain: "cluster.local", now: at });

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test("CA-40: the first start makes an authority, the next one finds it", async (context) => {
  const directory = await dataDirectory(context);
  const made = await open(directory);
  const found = await open(directory);
  assert.equal(found.certificate.fingerprint256, made.certificate.fingerprint256);
  assert.deepEqual((await readdir(join(directory, "ca"))).sort(), [
    "ca-cert.pem",
    "ca-key.pem",
    "root-cert.pem",
  ]);
  assert.equal(await modeOf(join(directory, "ca")), 0o700);
  assert.equal(await modeOf(join(directory, "ca", "ca-key.pem")), 0o600);
  assert.deepEqual(found.rootsPem, [
    await readFile(join(directory, "ca", "root-cert.pem"), "utf8"),
  ]);
});

test("several first starts at once end up with one authority, and leave no drafts", async (context) => {
  const directory = await dataDirectory(context);
  const all = await Promise.all(Array.from({ length: 8 }, () => open(directory)));
  assert.equal(new Set(all.map(({ certificate }) => certificate.fingerprint256)).size, 1);
  assert.deepEqual(await readdir(directory), ["ca"]);
});

const refused: [
  what: string,
  spoil: (ca: string) => Promise<void>,
  problem: RegExp,
  kind: typeof AuthorityRefusedError | typeof KeyDirectoryError,
  at?: Date,
][] = [
  [
    "a key that others may read",
    (ca) => chmod(join(ca, "ca-key.pem"), 0o640),
    /0640/,
    KeyDirectoryError,
  ],
  [
    "CA-44: a missing key",
    (ca) => rm(join(ca, "ca-key.pem")),
    /incomplete.*ca-key/,
    KeyDirectoryError,
  ],
  [
    "what is no key",
    (ca) => writeFile(join(ca, "ca-key.pem"), "x"),
    /no private key/,
    KeyDirectoryError,
  ],
  [
    "CA-45: the key of another",
    (ca) =>
      writeFile(
        join(ca, "ca-key.pem"),
        createSelfSignedAuthority({ trustDomain: "x", now }).privateKeyPem,
      ),
    /does not belong/,
    AuthorityRefusedError,
  ],
  [
    "CA-45: a root that did not sign it",
    (ca) =>
      writeFile(
        join(ca, "root-cert.pem"),
        createSelfSignedAuthority({ trustDomain: "x", now }).certificatePem,
      ),
    /not signed by/,
    AuthorityRefusedError,
  ],
  [
    "CA-45: a certificate that is no CA's",
    (ca) =>
      writeFile(
        join(ca, "root-cert.pem"),
        createThrowawayAuthority().svid("spiffe://x/y").certificateChainPem,
      ),
    /not a CA/,
    AuthorityRefusedError,
  ],
  [
    "what is no certificate",
    (ca) => writeFile(join(ca, "ca-cert.pem"), "x"),
    /refused/,
    AuthorityRefusedError,
  ],
  [
    "CA-45: an expired one",
    async () => undefined,
    /expired/,
    AuthorityRefusedError,
    new Date(now.getTime() + 11 * YEAR_MS),
  ],
];
for (const [what, spoil, problem, kind, at] of refused) {
  test(`refuses ${what}`, async (context) => {
    const directory = await dataDirectory(context);
    await open(directory);
    await spoil(join(directory, "ca"));
    await assert.rejects(open(directory, at), (error) => {
      assert.ok(error instanceof kind, String(error));
      assert.match(describeError(error), problem);
      return true;
    });
  });
}
