/** What OpenSSL, which none of us wrote, sees at an inbound port, and thinks of our certificates. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ServiceAccountTokens } from "../../src/ca/service-account-tokens.ts";
import { certificateClient, type IssuedSvid } from "../../src/identity/certificate-client.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

const REQUEST = "GET /api/orders HTTP/1.1\r\nHost: api:8080\r\nConnection: close\r\n\r\n";
const skip = missingParts("openssl");
const HOUR_MS = 3_600_000;

let mesh: RunningMesh;
let issued: IssuedSvid;
let folder: string;

before(async () => {
  mesh = await runMesh(["examples/first-verdict"]);
  issued = await issueFor("frontend");
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  await writeFile(join(folder, "chain.pem"), issued.svid.certificateChainPem);
  await writeFile(join(folder, "key.pem"), issued.svid.privateKeyPem, { mode: 0o600 });
  await writeFile(join(folder, "root.pem"), issued.rootsPem.join("\n"));
});
after(async () => {
  await mesh?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

/** Plays the API server that hands out tokens, and a workload that asks for its certificate. */
async function issueFor(owner: string): Promise<IssuedSvid> {
  const { namespace, name, uid, serviceAccount } = mesh.workload(owner);
  const tokens = await ServiceAccountTokens.open(mesh.data);
  const pod = { namespace, podName: name, podUid: uid, serviceAccount };
  const token = await tokens.issue({ ...pod, now: new Date(), lifetimeMs: HOUR_MS });
  const rootPem = await mesh.rootPem();
  const request = certificateClient({
    controlPlane: mesh.state.controlPlane,
    rootsPem: () => [rootPem],
    lifetimeSeconds: 3600,
    clock: systemClock,
  });
  return request({ token, signal: AbortSignal.timeout(5_000) });
}

async function openssl(
  parameters: readonly string[],
  input = "",
): Promise<{ code: number; text: string }> {
  const child = spawn("openssl", parameters, { timeout: 10_000 });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => {
      text += part.toString("latin1");
    });
  }
  child.stdin.on("error", () => child.stdin.destroy()); // it may end before it has read all
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? -1, text };
}

const connectTo = (owner: string): string[] => {
  const { listen } = mesh.workload(owner).ports[0] ?? assert.fail("no port");
  return ["s_client", "-connect", `${listen.address}:${listen.port}`, "-quiet"];
};

test("without a client certificate no application byte comes back, and none arrives", {
  skip,
}, async () => {
  const { text } = await openssl(connectTo("api"), REQUEST);
  assert.doesNotMatch(text, /HTTP\/1\.1/);
  assert.equal(await mesh.read("logs/production/api-0/api.log"), "");
  await until("the refusal in the log", async () =>
    (await mesh.read("logs/production/api-0/access.log")).includes('"peer-not-verified"'),
  );
});

test("with a certificate of the mesh the application answers", { skip }, async () => {
  const files = ["-cert", join(folder, "chain.pem"), "-key", join(folder, "key.pem")];
  const trust = ["-CAfile", join(folder, "root.pem"), "-verify_return_error"];
  const { text } = await openssl([...connectTo("api"), ...files, ...trust], REQUEST);
  assert.match(text, /HTTP\/1\.1 200/);
  assert.match(text, /chain mail/);
});

test("the certificate passes strict verification and shows its SPIFFE id", { skip }, async () => {
  const leaf = join(folder, "chain.pem");
  const verified = await openssl([
    "verify",
    "-x509_strict",
    "-CAfile",
    join(folder, "root.pem"),
    leaf,
  ]);
  assert.equal(verified.code, 0, verified.text);
  const { text } = await openssl(["x509", "-in", leaf, "-noout", "-text"]);
  assert.match(
    text,
    /Subject Alternative Name: critical\s+URI:spiffe:\/\/cluster\.local\/ns\/production\/sa\/frontend\n/,
  );
  assert.match(text, /Subject Key Identifier/);
  assert.match(text, /Authority Key Identifier/);
});
