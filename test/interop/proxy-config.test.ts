/** `hauberk proxy-config` of a real mesh: `secret` under the pipelines that people have for istioctl, word for word. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { askAdmin } from "../kit/ask-admin.ts";
import { runHauberk } from "../kit/hauberk-command.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";

const skip = missingParts("openssl", "jq");
let mesh: RunningMesh;
before(async () => {
  mesh = await runMesh(["test/meshes/pairs"]);
});
after(() => mesh?.stop());

async function proxyConfig(part: string, ...parameters: readonly string[]): Promise<string> {
  const { code, output, errors } = await runHauberk([
    ...["proxy-config", part, "--data", mesh.data],
    ...parameters,
  ]);
  assert.equal(code, 0, errors);
  return output;
}

const secrets = (...parameters: readonly string[]): Promise<string> =>
  proxyConfig("secret", ...parameters);

const pipeline = (openssl: string): string =>
  `jq -r '.dynamicActiveSecrets[0].secret.tlsCertificate.certificateChain.inlineBytes' | base64 -d | ${openssl}`;
const run = (script: string, input: string): string =>
  execFileSync("bash", ["-o", "pipefail", "-c", script], { input, encoding: "utf8" });

test("the certificate, its issuer and its end come out of jq, base64 and openssl", {
  skip,
}, async () => {
  const json = await secrets("deploy/one", "-n", "pairs", "-o", "json");
  const text = run(pipeline("openssl x509 -text -noout"), json);
  assert.match(text, /URI:spiffe:\/\/cluster\.local\/ns\/pairs\/sa\/one/);
  assert.match(run(pipeline('openssl x509 -text -noout | grep "Issuer:"'), json), /Issuer: O ?=/);
  assert.match(run(pipeline("openssl x509 -enddate -noout"), json), /^notAfter=/);
  assert.doesNotMatch(json, /PRIVATE/);
});

test("the roots are the same for all, and what they certify verifies", { skip }, async () => {
  const tables = [await secrets("one-0.pairs"), await secrets("pairs/calls-one")];
  const roots = tables.map((table) => table.split("\n").filter((line) => /^ROOTCA/.test(line)));
  assert.deepEqual(roots[0], roots[1]);
  assert.equal(roots[0]?.length, 1);
  const json = await secrets("one-0.pairs", "-o", "json");
  const verify = `jq -r '.dynamicActiveSecrets[] | .secret | (.tlsCertificate.certificateChain // .validationContext.trustedCa).inlineBytes' | {
    read leaf; read root
    openssl verify -x509_strict -CAfile <(echo "$root" | base64 -d) <(echo "$leaf" | base64 -d)
  }`;
  assert.match(run(verify, json), /: OK/);
});

test("a pod that is not there is said to be missing, with those that are", async () => {
  const parameters = ["proxy-config", "secret", "nobody.pairs", "--data", mesh.data];
  const { code, errors } = await runHauberk(parameters);
  assert.equal(code, 1);
  assert.match(errors, /no pod nobody\.pairs; there are .*one-0\.pairs/);
});

const adminSocket = (pod: string): string =>
  join(mesh.data, "pods", "pairs", pod, "admin", "admin.sock");

test("each sidecar has a socket of its own, for its user alone", async () => {
  for (const pod of ["one-0", "calls-one-0"]) {
    const { mode } = await stat(adminSocket(pod));
    assert.equal(mode & 0o777, 0o600);
    assert.equal((await stat(join(adminSocket(pod), ".."))).mode & 0o777, 0o700);
  }
});

test("what a sidecar holds comes as tables and as JSON, without any key", async () => {
  const one = /outbound\|8080\|\|one\.pairs\.svc\.cluster\.local/;
  assert.match(
    await proxyConfig("listeners", "one-0.pairs"),
    /^ADDRESSES .*\n127\.0\.0\.1 +\d+ +all http +STRICT \(PeerAuthentication istio-system\/default\) +inbound\|8080\|\|$/m,
  );
  assert.match(
    await proxyConfig("clusters", "deploy/calls-one", "-n", "pairs"),
    /^one\.pairs\.svc\.cluster\.local +8080 +outbound +1 +-$/m,
  );
  const endpoints = await proxyConfig("ep", "pairs/calls-one");
  assert.match(endpoints, /^127\.0\.0\.1:\d+ +ready +yes +one-0 +outbound\|8080\|\|one\.pairs/m);
  for (const part of ["listeners", "clusters", "endpoints"]) {
    const json = await proxyConfig(part, "pairs/calls-one", "-o", "json");
    assert.match(JSON.stringify(JSON.parse(json)), one);
  }
  const { body } = await askAdmin(adminSocket("calls-one-0"), { path: "/config_dump" });
  assert.equal(JSON.parse(body).view.workload.name, "calls-one-0");
  assert.doesNotMatch(body, /PRIVATE|eyJ/);
});

test("the log level is changed while the sidecar runs, and what it logs with it", async () => {
  const log = (): Promise<string> => mesh.read("logs/pairs/two-0/sidecar.log");
  const level = (...parameters: readonly string[]): Promise<string> =>
    proxyConfig("log", "two-0.pairs", ...parameters);
  assert.equal(await level(), "level: info\n");
  assert.doesNotMatch(await log(), /"level":"debug"/);
  assert.equal(await level("--level", "debug"), "level: debug\n");
  await level();
  assert.match(await log(), /"level":"debug","message":"admin request".*"path":"\/logging"/);
  assert.equal(await level("--level", "info"), "level: info\n");
});

test("a drained sidecar takes nobody, tells so, and stays to be asked", async () => {
  const socket = adminSocket("two-0");
  assert.equal((await askAdmin(socket, { path: "/drain" })).status, 405);
  assert.equal((await askAdmin(socket, { path: "/drain", method: "POST" })).status, 202);
  const { status, body } = await askAdmin(socket, { path: "/ready" });
  assert.deepEqual([status, body], [503, "draining\n"]);
  assert.match(await secrets("two-0.pairs"), /^default +Cert Chain +ACTIVE +true/m);
});
