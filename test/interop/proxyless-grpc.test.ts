/**
 * grpc-js-xds, which none of us wrote, as its own proxy: it resolves `xds:///` by our control plane, speaks mutual TLS with
 * the files of its pod, and believes no other account than the one it calls. Its callee is an xDS server behind a sidecar.
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import { eventually } from "../kit/eventually.ts";
import { PodAgent } from "../kit/pod-agent.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

const MESH = "test/meshes/proxyless";
const CALLER = "spiffe://cluster.local/ns/shop/sa/caller";
const PERMISSION_DENIED = 7;
const ABORTED = 10;
const UNAVAILABLE = 14;
/** Calls 100 ms apart: more than the caller's certificate lives. */
const CALLS = 250;

interface Called {
  readonly code: number;
  readonly answer?: string;
  readonly details?: string;
  readonly calls: number;
  readonly failed: number;
}

describe("a gRPC program that is its own proxy", () => {
  let mesh: RunningMesh;
  let caller: PodAgent;

  before(
    async () => {
      mesh = await runMesh([MESH]);
      caller = new PodAgent(mesh.data, "shop/caller-0");
      await eventually("the parrot to serve", async () =>
        (await mesh.read("logs/shop/parrot-0/parrot.log")).includes("serving"),
      );
    },
    { timeout: 120_000 },
  );
  after(() => mesh?.stop());

  async function call(target: string, method: string, times = 1): Promise<Called> {
    const program = resolve(MESH, "caller.mjs");
    const script = `node ${program} ${target} ${method} ${times}`;
    const { code, output, errors } = await caller.runScript(script, 60_000);
    assert.equal(code, 0, errors);
    return JSON.parse(output) as Called;
  }

  async function received(): Promise<readonly AccessLogEntry[]> {
    const text = await mesh.read("logs/shop/parrot-0/access.log");
    const lines = text.split("\n").filter((line) => line !== "");
    return lines
      .map((line): AccessLogEntry => JSON.parse(line))
      .filter(({ reporter }) => reporter === "destination");
  }

  const files = (): string => join(mesh.data, "pods", "shop", "caller-0", "grpc");

  test("is allowed to call, as its account, by every name of the service", async () => {
    for (const name of ["parrot", "parrot.shop", "parrot.shop.svc.cluster.local"]) {
      const { code, answer, details } = await call(`xds:///${name}:80`, "Say");
      assert.deepEqual([code, answer], [0, "hello!"], details);
    }
    const entry = await until("an entry", async () =>
      (await received()).find(({ decision }) => decision?.verdict === "allow"),
    );
    assert.deepEqual(
      [entry.source_principal, entry.protocol as string, entry.path],
      [CALLER, "HTTP/2", "/hauberk.example.Parrot/Say"],
    );
  });

  test("AP-130 is refused what no policy allows, by the callee's sidecar", async () => {
    const { code, details } = await call("xds:///parrot.shop:80", "Scream");
    assert.deepEqual([code, details], [PERMISSION_DENIED, "RBAC: access denied"]);
  });

  test("TLS-34 does not believe a callee whose certificate is another account's", async () => {
    const { code, details } = await call("xds:///bank.shop:80", "Whisper");
    assert.equal(code, UNAVAILABLE);
    assert.match(details ?? "", /No matching subject alternative name found/);
    // The same name of a method where the callee is whom it is taken for, to be seen after it in the log.
    assert.equal((await call("xds:///parrot.shop:80", "Whisper")).code, 0);
    const whispered = await until("an entry", async () => {
      const found = (await received()).filter(({ path }) => path?.endsWith("/Whisper"));
      return found.length > 0 ? found : undefined;
    });
    assert.deepEqual(
      whispered.map(({ authority }) => authority),
      ["parrot.shop:80"],
    );
  });

  test("follows routes as far as gRPC can: what it cannot follow reaches nobody", async () => {
    assert.equal((await call("xds:///parrot.shop:80", "OldSay")).code, UNAVAILABLE);
    assert.equal((await call("xds:///parrot.shop:80", "Broken")).code, ABORTED);
    assert.equal((await call("xds:///parrot.shop:80", "Say")).code, 0);
    const log = await mesh.read("logs/control-plane.log");
    assert.doesNotMatch(log, /resources refused by the proxy/);
  });

  test("CA-56 its key is its own, and what it is told is its own pod's", async () => {
    for (const name of ["key.pem", "cert-chain.pem", "root-cert.pem", "grpc-xds.sock"])
      assert.equal((await stat(join(files(), name))).mode & 0o777, 0o600, name);
    assert.equal((await stat(files())).mode & 0o777, 0o700);
    const elsewhere = "parrot-0.shop~shop.svc.cluster.local";
    const script = [
      `sed s/caller-0.shop~shop.svc.cluster.local/${elsewhere}/ "$GRPC_XDS_BOOTSTRAP" > "$TMPDIR/other.json"`,
      `DEADLINE_MS=6000 GRPC_XDS_BOOTSTRAP="$TMPDIR/other.json" node ${resolve(MESH, "caller.mjs")} xds:///parrot.shop:80 Say`,
    ].join("; ");
    const { output } = await caller.runScript(script, 60_000);
    const { code, details } = JSON.parse(output) as Called;
    assert.notEqual(code, 0, details);
    const log = await mesh.read("logs/control-plane.log");
    assert.match(log, /resources refused: the proxy takes itself for another pod's/);
  });

  test("CA-31 calls go on while its certificate is renewed", { timeout: 90_000 }, async () => {
    const serial = async (): Promise<string> => {
      const path = join("pods", "shop", "caller-0", "grpc", "cert-chain.pem");
      return new X509Certificate(await mesh.read(path)).serialNumber;
    };
    const first = await serial();
    const { calls, failed, details } = await call("xds:///parrot.shop:80", "Say", CALLS);
    assert.deepEqual([calls, failed], [CALLS, 0], details);
    assert.notEqual(await serial(), first);
  });
});
