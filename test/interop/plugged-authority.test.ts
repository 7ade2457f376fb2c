/**
 * What OpenSSL and we think of one another's authorities: its revocation lists end what an intermediate signed, and its
 * strictest verification has nothing against what we sign, with any kind of key.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey, type KeyObject } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type OpenedAuthorityRing, openAuthorityRing } from "../../src/ca/authority-ring.ts";
import type { PluggedAuthority } from "../../src/ca/plugged-authority.ts";
import { readPluggedAuthority } from "../../src/ca/read-plugged-authority.ts";
import { ServiceAccountTokens } from "../../src/ca/service-account-tokens.ts";
import type { AuthorityOverview } from "../../src/control/authority-overview.ts";
import { certificateClient } from "../../src/identity/certificate-client.ts";
import { parseCertificateRequest } from "../../src/identity/certificate-request.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { eventually } from "../kit/eventually.ts";
import { runHauberk } from "../kit/hauberk-command.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { openssl } from "../kit/openssl.ts";
import {
  type KeyKind,
  makeIntermediate,
  makeRevocationList,
  makeRoot,
  rootPaths,
  signingPaths,
} from "../kit/openssl-authority.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";

const skip = missingParts("openssl");
const HOUR_MS = 3_600_000;
const REQUEST = "GET /api/orders HTTP/1.1\r\nHost: api:8080\r\nConnection: close\r\n\r\n";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true, force: true }));

test("CA-50: lists by `openssl ca -gencrl`: who holds a certificate of a revoked intermediate is refused by sidecars", {
  skip,
}, async () => {
  const [root, cacerts] = [join(folder, "root"), join(folder, "cacerts")];
  await makeRoot(root, "Example Root");
  await makeIntermediate(cacerts, { root, name: "First" });
  await writeLists(cacerts, await listsOf(cacerts, { root }));
  const mesh = await runMesh(["examples/first-verdict"], {
    data: join(folder, "data"),
    parameters: ["--cacerts", cacerts],
  });
  try {
    const stolen = await issueFor(mesh, "frontend");
    await eventually("the application behind its sidecar", async () =>
      /HTTP\/1\.1 200/.test(await answerTo(mesh, stolen)),
    );
    assert.equal((await issueFor(mesh, "frontend", stolen)).id, stolen.id, "it buys another now");

    const former = join(folder, "former.pem");
    await writeFile(former, await readFile(join(cacerts, "ca-cert.pem")));
    await makeIntermediate(cacerts, { root, name: "Second" });
    await writeLists(cacerts, await listsOf(cacerts, { root, revoked: [former] }));
    await eventually("certificates of the new intermediate, at once", async () => {
      const { authorities = [], sidecars = [] } = (await overviewOf(mesh)) ?? {};
      const second = authorities.find(({ subject }) => subject.includes("CN=Second"));
      return sidecars.length === 3 && sidecars.every(({ issuer }) => issuer === second?.id);
    });
    assert.doesNotMatch(await answerTo(mesh, stolen), /HTTP\/1\.1 200/);
    const refused = /"peer-not-verified".*certificate \w+ of \\"O=Example, CN=First\\" is revoked/;
    await eventually("the reason in the access log", async () =>
      refused.test(await accessLog(mesh)),
    );
    await assert.rejects(issueFor(mesh, "frontend", stolen), /authenticate failure/);
    assert.match(
      await mesh.read("logs/control-plane.log"),
      /the client certificate is refused: certificate \w+ of .*CN=First.* is revoked/,
    );
    assert.match(await answerTo(mesh, await issueFor(mesh, "frontend")), /HTTP\/1\.1 200/);

    const revoked = [former];
    await writeLists(cacerts, [
      await makeRevocationList(rootPaths(root), { folder: database(), revoked }),
    ]);
    const overview = await eventually("the refusal", async () => {
      const told = await overviewOf(mesh);
      return told?.custom?.refused !== undefined && told;
    });
    assert.match(overview.custom?.refused ?? "", /ca-crl\.pem must hold a list that ca-cert\.pem/);
    assert.doesNotMatch(await answerTo(mesh, stolen), /HTTP\/1\.1 200/, "the lists before stay");

    const current = await issueFor(mesh, "frontend");
    revoked.push(join(cacerts, "ca-cert.pem"));
    await writeLists(cacerts, await listsOf(cacerts, { root, revoked }));
    await eventually("the end of all that the second signed", async () => {
      return !/HTTP\/1\.1 200/.test(await answerTo(mesh, current));
    });
    const { warnings = [] } = (await overviewOf(mesh)) ?? {};
    assert.match(warnings.join("\n"), /the active authority \w+ is revoked by its own list/);

    const second = join(folder, "second.pem");
    await writeFile(second, await readFile(join(cacerts, "ca-cert.pem")));
    await makeIntermediate(cacerts, { root, name: "Third" });
    await writeLists(cacerts, await listsOf(cacerts, { root, revoked: [former, second] }));
    await eventually("a third intermediate, and traffic again", async () => {
      const { authorities = [], sidecars = [] } = (await overviewOf(mesh)) ?? {};
      const third = authorities.find(({ subject }) => subject.includes("CN=Third"));
      return sidecars.length === 3 && sidecars.every(({ issuer }) => issuer === third?.id);
    });
    assert.match(await answerTo(mesh, await issueFor(mesh, "frontend")), /HTTP\/1\.1 200/);
    await eventually("no warning once the second is gone", async () => {
      return (await runHauberk(["ca", "status", "--data", mesh.data])).code === 0;
    });
  } finally {
    await mesh.stop();
  }
});

const database = (): string => join(folder, "database");

/** Of the root, and of the intermediate that lies there. */
async function listsOf(
  cacerts: string,
  { root, revoked = [] }: { readonly root: string; readonly revoked?: readonly string[] },
): Promise<readonly string[]> {
  return [
    await makeRevocationList(rootPaths(root), { folder: database(), revoked }),
    await makeRevocationList(signingPaths(cacerts), { folder: database() }),
  ];
}

async function writeLists(cacerts: string, lists: readonly string[]): Promise<void> {
  const draft = join(cacerts, "ca-crl.pem.draft");
  await writeFile(draft, lists.join(""));
  await rename(draft, join(cacerts, "ca-crl.pem"));
}

async function overviewOf({ data }: RunningMesh): Promise<AuthorityOverview | undefined> {
  const { output } = await runHauberk(["ca", "status", "--json", "--data", data]);
  return output === "" ? undefined : (JSON.parse(output) as AuthorityOverview);
}

const accessLog = (mesh: RunningMesh): Promise<string> =>
  mesh.read("logs/production/api-0/access.log");

/** What somebody gets who has a workload's certificate and key, and no sidecar. */
async function answerTo(mesh: RunningMesh, svid: X509Svid): Promise<string> {
  const [chain, key] = [join(folder, "chain.pem"), join(folder, "key.pem")];
  await writeFile(chain, svid.certificateChainPem);
  await writeFile(key, svid.privateKeyPem, { mode: 0o600 });
  const { listen } = mesh.workload("api").ports[0] ?? assert.fail("no port");
  const address = `${listen.address}:${listen.port}`;
  const proof = ["-cert", chain, "-cert_chain", chain, "-key", key];
  return (await openssl(["s_client", "-connect", address, "-quiet", ...proof], REQUEST)).text;
}

/**
 * Plays the API server that hands out tokens, and a workload that asks for its certificate.
 *
 * @param current what it shows in place of a token
 */
async function issueFor(mesh: RunningMesh, owner: string, current?: X509Svid): Promise<X509Svid> {
  const { namespace, name, uid, serviceAccount } = mesh.workload(owner);
  const tokens = await ServiceAccountTokens.open(mesh.data);
  const pod = { namespace, podName: name, podUid: uid, serviceAccount };
  const good = await tokens.issue({ ...pod, now: new Date(), lifetimeMs: HOUR_MS });
  const token = current === undefined ? good : "none";
  const rootPem = await readFile(join(folder, "root", "root-cert.pem"), "utf8");
  const request = certificateClient({
    controlPlane: mesh.state.controlPlane,
    rootsPem: () => [rootPem],
    lifetimeSeconds: 3600,
    clock: systemClock,
  });
  return (await request({ token, current, signal: AbortSignal.timeout(5_000) })).svid;
}

/** Kinds of keys of the root and of the intermediate; "own": the mesh's self-signed root. */
const AUTHORITIES: readonly (readonly [KeyKind, KeyKind] | "own")[] = [
  "own",
  ["P-256", "P-256"],
  ["P-384", "P-384"],
  ["RSA 2048", "RSA 2048"],
  ["RSA 2048", "P-256"],
  ["P-384", "RSA 2048"],
];
const LEAF_KEYS: Readonly<Record<string, readonly string[]>> = {
  "P-256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  "P-384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
  "RSA 2048": ["-newkey", "rsa:2048"],
};

for (const kinds of AUTHORITIES) {
  const what = kinds === "own" ? "its own root" : `${kinds[1]} below a root of ${kinds[0]}`;
  test(`CA-59: -x509_strict has nothing against the leaves and authorities of a mesh with ${what}`, {
    skip,
  }, async () => {
    const ring = await ringOf(kinds);
    const { rootsPem } = ring.trust.current;
    assert.deepEqual(ring.status()[0]?.weaknesses, []);
    for (const [kind, parameters] of Object.entries(LEAF_KEYS)) {
      const [leaf, ...above] = issue(ring, requestedKey(parameters));
      assert.equal(await strictly(leaf, { rootsPem, above }), "OK", `a leaf of ${kind}`);
      for (const authority of [...above, ...rootsPem])
        assert.equal(await strictly(authority, { rootsPem, above }), "OK", authority);
    }
    const { certificate, rootsPem: above } = ring.issuer.current;
    const other = await strictly(certificate.toString(), {
      rootsPem: [await strangeRoot()],
      above,
    });
    assert.match(other, /unable to get|self.signed/, "it can say no");
  });
}

async function ringOf(kinds: (typeof AUTHORITIES)[number]): Promise<OpenedAuthorityRing> {
  const directory = await mkdtemp(join(folder, "ring-"));
  return openAuthorityRing({
    directory,
    trustDomain: "cluster.local",
    ...(kinds !== "own" && { plugged: await pluggedOf(kinds, directory) }),
  });
}

async function pluggedOf(
  [rootKind, kind]: readonly [KeyKind, KeyKind],
  directory: string,
): Promise<PluggedAuthority> {
  const [root, cacerts] = [join(directory, "root"), join(directory, "cacerts")];
  await makeRoot(root, "Strict Root", rootKind);
  await makeIntermediate(cacerts, { root, name: "Strict Intermediate", kind });
  await writeLists(cacerts, await listsOf(cacerts, { root }));
  return readPluggedAuthority(cacerts, { now: new Date() });
}

async function strangeRoot(): Promise<string> {
  const strange = join(folder, "strange");
  await makeRoot(strange, "Strange Root");
  return readFile(join(strange, "root-cert.pem"), "utf8");
}

/** The key of a request that OpenSSL made, as it comes through our own reader. */
function requestedKey(parameters: readonly string[]): KeyObject {
  const command = ["req", "-new", ...parameters, "-nodes", "-keyout", "-", "-subj", "/O=any"];
  const { status, stdout, stderr } = spawnSync("openssl", command, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  createPrivateKey(stdout);
  const [csr] = /-----BEGIN CERTIFICATE REQUEST-----.*?-----END CERTIFICATE REQUEST-----\n/s.exec(
    stdout,
  ) ?? [assert.fail("no request")];
  return parseCertificateRequest(csr).publicKey;
}

/** Leaf first. */
function issue(ring: OpenedAuthorityRing, publicKey: KeyObject): [string, ...string[]] {
  const id = parseSpiffeId("spiffe://cluster.local/ns/shop/sa/cart");
  const now = new Date();
  const { chainPem } = ring.issuer.current.issue({ publicKey, id, lifetimeMs: HOUR_MS, now });
  const [leaf = assert.fail("no leaf"), ...above] = chainPem;
  return [leaf, ...above];
}

/** `OK`, or what OpenSSL says against it. */
async function strictly(
  pem: string,
  { rootsPem, above }: { readonly rootsPem: readonly string[]; readonly above: readonly string[] },
): Promise<string> {
  const place = await mkdtemp(join(folder, "verify-"));
  await mkdir(place, { recursive: true });
  const at = (file: string): string => join(place, file);
  await writeFile(at("one.pem"), pem);
  await writeFile(at("roots.pem"), rootsPem.join("\n"));
  await writeFile(at("above.pem"), above.join("\n"));
  const untrusted = above.length > 0 ? ["-untrusted", at("above.pem")] : [];
  const { code, text } = await openssl([
    "verify",
    "-x509_strict",
    "-CAfile",
    at("roots.pem"),
    ...untrusted,
    at("one.pem"),
  ]);
  return code === 0 && text.trim() === `${at("one.pem")}: OK` ? "OK" : text;
}
