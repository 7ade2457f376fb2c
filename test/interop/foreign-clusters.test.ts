/** Other meshes that must not get in: another root, the same name, another trust domain, certificates of no control plane. */
import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CertificateAuthority } from "../../src/ca/certificate-authority.ts";
import { CONTROL_PLANE_NAME } from "../../src/identity/certificate-client.ts";
import {
  createCertificateRequest,
  parseCertificateRequest,
} from "../../src/identity/certificate-request.ts";
import { issuerKeyId } from "../../src/identity/issuer-key-id.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import { RemoteDiscovery } from "../../src/wire/gen/hauberk/clusters/v1/remote_discovery_pb.ts";
import { GrpcClient, type GrpcClientOptions } from "../../src/wire/grpc-client.ts";
import { GrpcStatusError } from "../../src/wire/grpc-status.ts";
import {
  type ClusterMesh,
  makeAuthorities,
  portsOf,
  remoteClusterOf,
  runCluster,
} from "../kit/cluster-meshes.ts";
import { eventually } from "../kit/eventually.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { outcomesBetween } from "../kit/steady-load.ts";
import { createThrowawayAuthority } from "../kit/throwaway-authority.ts";

const skip = missingParts("openssl");

let folder: string;
let east: ClusterMesh;
const others: ClusterMesh[] = [];

const authorityOf = (name: "east" | "west"): string => join(folder, "authorities", name);
const EAST_CONFIG = "trustDomain: east.local\ntrustDomainAliases: [west.local]\n";
const WEST_CONFIG = "trustDomain: west.local\ntrustDomainAliases: [east.local]\n";

before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  await makeAuthorities(folder);
  east = await runCluster({
    folder,
    name: "east",
    files: "east",
    authority: authorityOf("east"),
    changes: { "policies.yaml": { "cluster.local/ns": "west.local/ns" } },
    more: { "mesh-config.yaml": EAST_CONFIG },
  });
});
after(async () => {
  await Promise.all([east, ...others].map((mesh) => mesh?.stop()));
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** A mesh with a RemoteCluster of east, and callers. */
async function runOther(
  name: string,
  options: { authority: string; cluster?: string; config: string; document?: string },
): Promise<ClusterMesh> {
  const { config, document = await remoteClusterOf(east), ...rest } = options;
  const more = { "mesh-config.yaml": config, "east.yaml": document };
  const mesh = await runCluster({ folder, name, files: "west", more, ...rest });
  others.push(mesh);
  return mesh;
}

function accessLog(pod: string): Promise<string> {
  return east.read(`logs/shop/${pod}/access.log`).catch(() => ""); // not called yet
}

async function untilAway(mesh: ClusterMesh, problem: RegExp): Promise<void> {
  let said: string | undefined;
  await eventually(
    () => `${problem}; it says ${said}`,
    async () => {
      said = (await mesh.remote())?.problem;
      return said !== undefined && problem.test(said);
    },
  );
  assert.equal((await mesh.status()).code, 1);
  assert.equal((await mesh.remote())?.endpoints, 0);
}

/** Status of the frontend's newest GET. */
async function newestRead({ data }: ClusterMesh): Promise<number | string | undefined> {
  const log = join(data, "logs/shop/frontend-0/frontend.log");
  const span = { from: Date.now() - 1_000, to: Date.now() };
  const newest = (await outcomesBetween(log, span)).findLast(({ method }) => method === "GET");
  return newest?.status ?? newest?.error;
}

async function untilReads(mesh: ClusterMesh, wanted: number): Promise<void> {
  let newest: number | string | undefined;
  await eventually(
    () => `${wanted}; the newest is ${newest}`,
    async () => {
      newest = await newestRead(mesh);
      return newest === wanted;
    },
  );
}

/** Of a trusted root, as the log writes it. */
function fingerprintOf(pem: string): string {
  const { fingerprint256 } = new X509Certificate(pem);
  return fingerprint256.replaceAll(":", "").slice(0, 16).toLowerCase();
}

/** Of the root that a certificate names as its issuer: peers do not send roots, so its own fingerprint is not known. */
function rootKeyOf(pem: string): string {
  return issuerKeyId(new X509Certificate(pem)) ?? assert.fail("it names none");
}

test("CA-55: meshes of two trust domains call each other as long as each is the other's alias", {
  skip,
}, async () => {
  const west = await runOther("west", { authority: authorityOf("west"), config: WEST_CONFIG });
  await untilReads(west, 200);
  await eventually("the caller in east's access logs", async () => {
    const logs = await Promise.all(["api-0", "api-1"].map((pod) => accessLog(pod)));
    return logs.join("").includes('"source_principal":"spiffe://west.local/ns/shop/sa/frontend"');
  });
  await east.change("mesh-config.yaml", { "[west.local]": "[]" });
  await untilReads(west, 503);
  await eventually("refused by east's control plane", async () =>
    (await west.remote())?.problem?.includes("it does not take spiffe://west.local/"),
  );
  await east.change("mesh-config.yaml", { "[]": "[west.local]" });
  await untilReads(west, 200);
});

test("CA-55: without the alias nothing of the other mesh is taken over", { skip }, async () => {
  const strange = await runOther("strange", {
    authority: authorityOf("west"),
    config: "trustDomain: west.local\n",
  });
  await eventually("a refusal", async () => (await strange.status()).troubles.length > 0);
  const { troubles } = await strange.status();
  assert.match(troubles.join("\n"), /trust domain "?east\.local"? .*trustDomainAliases/);
  assert.equal((await strange.remote())?.endpoints, 0);
  await untilReads(strange, 503);
});

test("CA-54: a mesh under another root is refused, and both roots are named", {
  skip,
}, async () => {
  const foreign = await runOther("foreign", { authority: "self-signed", config: WEST_CONFIG });
  const theirs = rootKeyOf(await readFile(join(authorityOf("east"), "ca-cert.pem"), "utf8"));
  const ours = fingerprintOf(await foreign.rootPem());
  await untilAway(
    foreign,
    new RegExp(
      `leads to "O=Example, CN=Example root" \\(key ${theirs}\\), and trusted here is .*${ours}`,
    ),
  );
  await untilReads(foreign, 503);
  const log = await foreign.read("logs/control-plane.log");
  for (const root of [theirs, ours]) assert.ok(log.includes(root), log);
});

test("meshes of one name are told to have two, whoever asks whom", { skip }, async () => {
  const document = await remoteClusterOf(east);
  const common = { authority: authorityOf("west"), cluster: "east", config: WEST_CONFIG };
  const knowing = await runOther("knowing", common);
  await untilAway(knowing, /both meshes call themselves east: give one of them --cluster/);
  const renamed = document.replace('name: "east"', 'name: "far"');
  const unknowing = await runOther("unknowing", { ...common, document: renamed });
  await untilAway(unknowing, /both meshes call themselves east: give one of them --cluster/);
});

test("a mesh that calls itself otherwise than the RemoteCluster is not taken for it", {
  skip,
}, async () => {
  const document = (await remoteClusterOf(east)).replace('name: "east"', 'name: "north"');
  const other = await runOther("other", {
    authority: authorityOf("west"),
    config: WEST_CONFIG,
    document,
  });
  await untilAway(other, /east.*north|north.*east/);
});

test("many meshes of one example share no port", { skip }, () => {
  assert.ok(others.length >= 5);
  const all = [east, ...others].flatMap(portsOf);
  assert.equal(new Set(all).size, all.length);
});

const CALLERS: readonly (readonly [what: string, id: string | undefined, answer: string])[] = [
  ["a control plane of an alias", "spiffe://west.local/ns/istio-system/sa/istiod", "east"],
  ["nobody", undefined, "PERMISSION_DENIED"],
  ["a workload", "spiffe://west.local/ns/shop/sa/frontend", "PERMISSION_DENIED"],
  ["a namesake", "spiffe://west.local/ns/shop/sa/istiod", "PERMISSION_DENIED"],
  ["a stranger", "spiffe://other.local/ns/istio-system/sa/istiod", "PERMISSION_DENIED"],
];

for (const [what, id, answer] of CALLERS) {
  test(`who asks for the services of another mesh under its root: ${what} gets ${answer}`, {
    skip,
  }, async () => {
    const issuer = await authorityIn(authorityOf("west"));
    assert.equal(await askForServices(id === undefined ? undefined : certify(id, issuer)), answer);
  });
}

test("a self-made certificate of a control plane opens nothing, and the log says where it leads", {
  skip,
}, async () => {
  const { authority } = createThrowawayAuthority();
  const forged = certify("spiffe://west.local/ns/istio-system/sa/istiod", authority);
  assert.equal(await askForServices(forged), "UNAVAILABLE");
  const log = await east.read("logs/control-plane.log");
  const line = log.split("\n").find((one) => one.includes("client certificate refused"));
  assert.match(line ?? "", new RegExp(`leads to .*${rootKeyOf(forged.chainPem)}`));
});

/** @returns the name that the control plane answers with, or the status that it refuses with */
async function askForServices(
  certificate: GrpcClientOptions["certificate"] | undefined,
): Promise<string> {
  const client = new GrpcClient({
    address: east.state.controlPlane,
    serverName: CONTROL_PLANE_NAME,
    rootsPem: [await readFile(join(folder, "authorities/root-cert.pem"), "utf8")],
    maxReceiveBytes: 1_000_000,
    ...(certificate && { certificate }),
  });
  const signal = AbortSignal.timeout(10_000);
  try {
    const method = RemoteDiscovery.method.watchServices;
    for await (const { cluster } of client.answers(method, { cluster: "probe" }, { signal }))
      return cluster;
    return "nothing";
  } catch (error) {
    if (error instanceof GrpcStatusError) return error.status;
    throw error;
  } finally {
    client.close();
  }
}

async function authorityIn(directory: string): Promise<CertificateAuthority> {
  const [certificatePem, key, root] = await Promise.all(
    (["ca-cert.pem", "ca-key.pem", "root-cert.pem"] as const).map((file) =>
      readFile(join(directory, file), "utf8"),
    ),
  );
  return new CertificateAuthority({
    certificatePem: certificatePem ?? "",
    privateKey: createPrivateKey(key ?? ""),
    rootsPem: [root ?? ""],
    intermediatesPem: [certificatePem ?? ""],
  });
}

function certify(
  id: string,
  issuer: CertificateAuthority,
): { readonly chainPem: string; readonly privateKeyPem: string } {
  const { csrPem, privateKeyPem } = createCertificateRequest();
  const { publicKey } = parseCertificateRequest(csrPem);
  const request = { publicKey, id: parseSpiffeId(id), lifetimeMs: 3_600_000, now: new Date() };
  return { chainPem: issuer.issue(request).chainPem.join(""), privateKeyPem };
}
