/** `examples/egress` through a gateway of the mesh, which watches the border and has the certificate for the way beyond. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import { eventually } from "../kit/eventually.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";

const folder = await mkdtemp(join(tmpdir(), "hauberk-egress-gateway-"));
const SHOP = "spiffe://cluster.local/ns/shop/sa/shop";
let payments: ChildProcess;
let mesh: RunningMesh;

before(async () => {
  await cp("examples/egress", folder, { recursive: true });
  await cp("test/meshes/egress-gateway", folder, { recursive: true });
  execFileSync("sh", [join(folder, "certificates.sh")]);
  // The rule and the Secret are the gateway's.
  await change("payments.yaml", (text) =>
    text
      .replace(/(kind: DestinationRule\nmetadata: .*namespace: )shop/, "$1istio-egress")
      .replace(/ {2}workloadSelector: .*\n/, ""),
  );
  await change("secret.yaml", (text) => text.replace("namespace: shop", "namespace: istio-egress"));
  payments = spawn(process.execPath, [join(folder, "payments.mjs")], { stdio: "inherit" });
  mesh = await runMesh([folder]);
});

after(async () => {
  await mesh?.stop();
  payments?.kill();
  await rm(folder, { recursive: true });
});

async function change(file: string, by: (text: string) => string): Promise<void> {
  const path = join(folder, file);
  await writeFile(path, by(await readFile(path, "utf8")));
}

function answered(answer: RegExp): Promise<unknown> {
  return eventually(`${answer}`, async () => {
    const said = await mesh.read("logs/shop/shop-0/shop.log");
    return answer.test(said.trimEnd().split("\n").at(-1) ?? "");
  });
}

/** The gateway writes its log after the application has its answer. */
function lastAtGateway(verdict: "allow" | "deny"): Promise<AccessLogEntry> {
  return eventually(`${verdict} in the gateway's log`, async () => {
    const lines = await mesh.read("logs/istio-egress/istio-egressgateway-0/access.log");
    const last: AccessLogEntry = JSON.parse(lines.trimEnd().split("\n").at(-1) || "null");
    return last?.decision?.verdict === verdict ? last : undefined;
  });
}

test("the shop pays by the gateway, whose policy sees who it is, and whose certificate the server sees", async () => {
  await answered(/^200 paid by DNS:shop\.example\.com$/);
  const { source_principal, upstream_cluster, decision } = await lastAtGateway("allow");
  assert.deepEqual(
    [source_principal, upstream_cluster, decision?.reason.because],
    [SHOP, "outbound|80||payments.example.com", "matched-allow"],
  );
});

test("whom the policy of the border does not name is refused there", async () => {
  await change("gateway.yaml", (text) => text.replace("/sa/shop", "/sa/other"));
  await answered(/^403 /);
  const { source_principal, decision } = await lastAtGateway("deny");
  assert.deepEqual([source_principal, decision?.verdict], [SHOP, "deny"]);
});
