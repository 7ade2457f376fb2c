/** What `testssl`, which none of us wrote, finds at a sidecar: nothing below TLS 1.2, nothing weak, nothing costly. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ConnectionOptions, connect } from "node:tls";
import type { SocketAddress } from "../../src/policy/workload.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";

const skip = missingParts("testssl", "openssl");
const STRICT = {
  apiVersion: "security.istio.io/v1",
  kind: "PeerAuthentication",
  metadata: { name: "default", namespace: "istio-system" },
  spec: { mtls: { mode: "STRICT" } },
};

/** One line of the report. */
interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

/** What must be said, each as it is said of a server that has nothing to hide. */
const SAID: Readonly<Record<string, RegExp>> = {
  SSLv2: /^not offered$/,
  SSLv3: /^not offered$/,
  TLS1: /^not offered$/,
  TLS1_1: /^not offered$/,
  TLS1_2: /^offered$/,
  TLS1_3: /^offered with final$/,
  cipherlist_NULL: /^not offered$/,
  cipherlist_aNULL: /^not offered$/,
  cipherlist_EXPORT: /^not offered$/,
  cipherlist_LOW: /^not offered$/,
  cipherlist_3DES_IDEA: /^not offered$/,
  cipherlist_STRONG: /^offered$/,
  secure_renego: /^supported$/,
  heartbleed: /^not vulnerable/,
  ROBOT: /^not vulnerable/,
  LOGJAM: /^not vulnerable/,
  LUCKY13: /^not vulnerable/,
};
const HARMLESS = ["OK", "INFO", "DEBUG"];
/** Of testssl itself: its OpenSSL has no engine, and it cannot tell what speaks behind a certificate that it lacks. */
const OF_ITSELF = ["engine_problem", "service"];
/** Sometimes it sees that it lacks one, and leaves out whether clients may renegotiate: TLS-10 has a test of its own. */
const UNTESTED = "client x509-based authentication prevents this from being tested";
/** None that costs whoever is called much more than whoever calls. */
const CURVES = ["prime256v1", "secp384r1", "X25519"];

describe("a sidecar's TLS", { skip }, () => {
  let folder: string;
  let mesh: RunningMesh;
  let at: SocketAddress;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-testssl-"));
    const strict = join(folder, "strict.yaml");
    await writeFile(strict, JSON.stringify(STRICT));
    mesh = await runMesh(["test/meshes/shop", strict]);
    at = mesh.workload("api").ports[0]?.listen ?? assert.fail("no port");
  });
  after(async () => {
    await mesh?.stop();
    await rm(folder, { recursive: true });
  });

  async function findings(): Promise<readonly Finding[]> {
    const report = join(folder, "report.json");
    const quietly = ["--quiet", "--color", "0", "--warnings", "off", "--nodns", "min"];
    const patience = ["--connect-timeout", "10", "--openssl-timeout", "10"];
    const checks = ["-p", "-s", "-f", "-P", "-U"];
    const child = spawn(
      "testssl",
      [...quietly, ...patience, "--jsonfile", report, ...checks, `${at.address}:${at.port}`],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    await once(child, "close");
    return JSON.parse(await readFile(report, "utf8"));
  }

  test("testssl finds nothing weak", { timeout: 280_000 }, async () => {
    const found = (await findings()).filter(
      ({ id, finding }) => !OF_ITSELF.includes(id) && finding !== UNTESTED,
    );
    const said = new Map(found.map(({ id, finding }) => [id, finding]));
    for (const [id, words] of Object.entries(SAID)) assert.match(said.get(id) ?? "", words, id);
    assert.deepEqual(
      found.filter(({ severity }) => !HARMLESS.includes(severity)),
      [],
    );
    // Named by the version: PFS_ECDHE_curves, FS_ECDHE_curves.
    const [curves] = found.filter(({ id }) => id.endsWith("_ECDHE_curves"));
    assert.deepEqual(curves?.finding.trim().split(" "), CURVES);
    assert.equal(said.get("DH_groups"), undefined);
  });

  /** Resolves with what was agreed on; a server that refuses our lack of a certificate does so later. */
  async function handshake(options: ConnectionOptions): Promise<string> {
    const { address: host, port } = at;
    const socket = connect({ host, port, rejectUnauthorized: false, ...options });
    try {
      await once(socket, "secureConnect");
      return socket.getProtocol() ?? "";
    } finally {
      socket.on("error", () => socket.destroy()).destroy();
    }
  }

  test("a handshake costs little, whatever is asked for", async () => {
    assert.equal(await handshake({ ecdhCurve: "X25519" }), "TLSv1.3");
    for (const group of ["ffdhe2048", "ffdhe8192", "P-521"]) {
      await assert.rejects(handshake({ ecdhCurve: group }), /handshake failure/, group);
    }
  });

  const [major = 0] = process.versions.node.split(".").map(Number);
  const old = major < 24 && `Node ${process.versions.node} has no ML-KEM: Node 24 has`;
  test("X25519MLKEM768 is agreed to", { skip: old }, async () => {
    assert.equal(await handshake({ ecdhCurve: "X25519MLKEM768" }), "TLSv1.3");
  });
});
