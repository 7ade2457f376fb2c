/**
 * The article's walkthrough of a custom authority, its openssl commands and its last pipeline as they are: on a mesh that
 * runs under load, without a restart and without a failed request.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { type CommandResult, runHauberk } from "../kit/hauberk-command.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { isFailure, outcomesBetween, untilAnswered } from "../kit/steady-load.ts";

const SET = ["ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem"];
const CALLERS = ["calls-one", "calls-two"];
const ROTATION_MS = 60_000;

const AUTHORITY_COMMANDS = `
openssl req -new -newkey rsa:4096 -x509 -sha256 \
-days 3650 -nodes \
-subj "/O=Company Inc./CN=Root CA" \
-keyout root-key.pem -out root-cert.pem
openssl req -new -newkey rsa:4096 -sha256 -nodes \
-subj "/O=Company Inc./CN=Istio Intermediate CA" \
-keyout ca-key.pem -out ca-csr.pem
openssl x509 -req -days 730 -sha256 \
-CA root-cert.pem -CAkey root-key.pem -CAcreateserial \
-in ca-csr.pem -out ca-cert.pem \
-extfile <(printf "basicConstraints=CA:TRUE\\nkeyUsage=critical,digitalSignature,keyCertSign,cRLSign")
cat ca-cert.pem root-cert.pem > cert-chain.pem
`;

let folder: string;
let mesh: RunningMesh;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  await mkdir(join(folder, "made"));
  await mkdir(join(folder, "cacerts"));
  shell(AUTHORITY_COMMANDS, join(folder, "made"));
  mesh = await runMesh(["test/meshes/pairs"], {
    data: join(folder, "data"),
    parameters: ["--cacerts", join(folder, "cacerts")],
  });
  await untilAnswered(CALLERS.map(loadLog));
});
after(async () => {
  await mesh?.stop();
  await rm(folder, { recursive: true, force: true });
});

const loadLog = (caller: string): string =>
  join(mesh.data, "logs/pairs", `${caller}-0`, "load.log");

function shell(script: string, directory: string): string {
  const { status, stdout, stderr } = spawnSync("bash", ["-c", script], {
    cwd: directory,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

const hauberk = (...parameters: string[]): Promise<CommandResult> =>
  runHauberk([...parameters, "--data", mesh.data]);

interface Status {
  readonly authorities: readonly { readonly state: string; readonly subject: string }[];
}

async function authorities(): Promise<Status["authorities"]> {
  const { output, errors } = await hauberk("ca", "status", "--json");
  assert.notEqual(output, "", errors);
  return (JSON.parse(output) as Status).authorities;
}

test("CA-43..CA-47: the article's authority is adopted by a running mesh, and its last pipeline shows the issuer", async () => {
  const from = Date.now();
  for (const file of SET) {
    await copyFile(join(folder, "made", file), join(folder, "cacerts", file));
  }
  await eventually(
    () => "only the custom authority",
    async () => {
      const held = await authorities();
      return held.length === 1 && held[0]?.subject.includes("Istio Intermediate CA") === true;
    },
    { withinMs: ROTATION_MS },
  );
  const { output } = await hauberk("proxy-config", "secret", "deploy/one.pairs", "-o", "json");
  const issuer = spawnSync(
    "bash",
    [
      "-c",
      `jq -r '.dynamicActiveSecrets[0].secret.tlsCertificate.certificateChain.inlineBytes' | base64 -d | openssl x509 -text -noout | grep "Issuer:"`,
    ],
    { input: output, encoding: "utf8" },
  );
  assert.match(issuer.stdout, /Issuer: O = Company Inc\., CN = Istio Intermediate CA/);
  const adopted = Date.now();
  for (const caller of CALLERS) {
    const log = loadLog(caller);
    await eventually(`calls of ${caller} since`, async () => {
      const since = await outcomesBetween(log, { from: adopted, to: Date.now() });
      return since.length > 50;
    });
    const outcomes = await outcomesBetween(log, { from, to: Date.now() });
    assert.deepEqual(outcomes.filter(isFailure), [], caller);
  }
});

test("CA-59: openssl verifies what the sidecar shows, against the article's files", async () => {
  const { output } = await hauberk("proxy-config", "secret", "deploy/one.pairs", "-o", "json");
  const verified = spawnSync(
    "bash",
    [
      "-c",
      `jq -r '.dynamicActiveSecrets[0].secret.tlsCertificate.certificateChain.inlineBytes' | base64 -d > leaf.pem && openssl verify -CAfile root-cert.pem -untrusted cert-chain.pem leaf.pem`,
    ],
    { cwd: join(folder, "made"), input: output, encoding: "utf8" },
  );
  assert.equal(verified.stdout.trim(), "leaf.pem: OK", verified.stderr);
});

test("the article's authority has weak points, and `ca status` names them", async () => {
  const { output } = await hauberk("ca", "status");
  assert.match(output, /Istio Intermediate CA/);
  assert.match(output, /subject ?key ?identifier|basicConstraints/i);
});

test("CA-45: a bad set is refused with the reason, and the good one stays", async () => {
  const bad = join(folder, "bad");
  await mkdir(bad);
  shell("openssl genrsa -out other-key.pem 2048", folder);
  for (const file of SET) await copyFile(join(folder, "made", file), join(bad, file));
  await copyFile(join(folder, "other-key.pem"), join(folder, "cacerts", "ca-key.pem"));
  await eventually(
    () => "the reason",
    async () => /ca-key\.pem/.test((await hauberk("ca", "status")).output),
    { withinMs: 20_000 },
  );
  assert.match((await authorities())[0]?.subject ?? "", /Istio Intermediate CA/);
});
