/** `hauberk proxy-config` of a real mesh: `secret` under the pipelines that people have for istioctl, word for word; and the commands beside it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
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

test("what a sidecar holds comes as istioctl's tables, with whether it is mutual TLS", async () => {
  assert.match(
    await proxyConfig("listeners", "one-0.pairs"),
    /^ADDRESSES .*\n127\.0\.0\.1 +\d+ +Trans: tls +Cluster: inbound\|8080\|\| +STRICT \(PeerAuthentication istio-system\/default\)$/m,
  );
  assert.match(
    await proxyConfig("listeners", "calls-one-0.pairs"),
    /^127\.0\.0\.1 +\d+ +ALL +Route: http_proxy +-$/m,
  );
  assert.match(
    await proxyConfig("clusters", "deploy/calls-one", "-n", "pairs"),
    /^one\.pairs\.svc\.cluster\.local +8080 +- +outbound +EDS +$/m,
  );
  const routes = await proxyConfig("routes", "pairs/calls-one", "--name", "http_proxy");
  assert.match(routes, /^http_proxy +one\.pairs\.svc\.cluster\.local:8080 +\/\* +$/m);
  const endpoints = await proxyConfig("ep", "pairs/calls-one", "--status", "healthy");
  assert.match(
    endpoints,
    /^127\.0\.0\.1:\d+ +HEALTHY +outbound\|8080\|\|one\.pairs\.svc\.cluster\.local +yes +one-0$/m,
  );
  assert.doesNotMatch(
    await proxyConfig(
      "ep",
      "pairs/calls-one",
      "--cluster",
      "outbound|8080||two.pairs.svc.cluster.local",
    ),
    /one-0/,
  );
});

test("it comes as JSON and YAML in the shape of Envoy too, without any key", { skip }, async () => {
  const one = /outbound\|8080\|\|one\.pairs\.svc\.cluster\.local/;
  for (const part of ["clusters", "endpoints", "all"]) {
    assert.match(await proxyConfig(part, "pairs/calls-one", "-o", "yaml"), one);
    assert.match(await proxyConfig(part, "pairs/calls-one", "-o", "json"), one);
  }
  const json = await proxyConfig("listeners", "one-0.pairs", "-o", "json");
  const context = ".[].filterChains[].transportSocket.typedConfig.commonTlsContext";
  const secret = `jq -r '${context} | select(. != null) | .tlsCertificateSdsSecretConfigs[0].name'`;
  assert.equal(run(secret, json), "default\n");
  const { body } = await askAdmin(adminSocket("calls-one-0"), { path: "/config_dump" });
  assert.equal(JSON.parse(body).view.workload.name, "calls-one-0");
  assert.doesNotMatch(body, /PRIVATE|eyJ/);
});

test("what `all` tells as JSON is a dump that every command reads again", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "dump.json");
  await writeFile(file, await proxyConfig("all", "one-0.pairs", "-o", "json"));
  assert.match(await proxyConfig("secret", "-f", file), /^default +Cert Chain +ACTIVE +true/m);
  assert.match(
    await proxyConfig("listeners", "-f", file),
    /^127\.0\.0\.1 +\d+ +Trans: tls +Cluster: inbound\|8080\|\|$/m,
  );
});

test("a pod and a service are described as istioctl does, a pod then in our words", async () => {
  const describe = async (...parameters: readonly string[]): Promise<string> => {
    const { code, output, errors } = await runHauberk([
      ...["x", "describe", ...parameters],
      ...["-n", "pairs", "--data", mesh.data],
    ]);
    assert.equal(code, 0, errors);
    return output;
  };
  const pod = await describe("pod", "deploy/one");
  assert.match(pod, /^Pod: one-0\n {3}Pod Revision: .*\n {3}Pod Ports: 8080 \(server\)$/m);
  assert.match(
    pod,
    /^ {3}Workload mTLS mode: STRICT\nApplied PeerAuthentication:\n {3}default\.istio-system$/m,
  );
  assert.match(pod, /^pairs\/one\n {2}pod +one-0$/m);
  assert.match(
    await describe("service", "one"),
    /^Service: one\n {3}Port: http 8080\/HTTP targets pod port 8080$/m,
  );
  const { code, errors } = await runHauberk([
    ...["x", "describe", "po", "nobody", "-n", "pairs", "--data", mesh.data],
  ]);
  assert.equal(code, 1);
  assert.match(errors, /^Error: pods "nobody" not found$/m);
});

test("proxy-status of one pod tells of that one alone, and whether it has what it is to have", async () => {
  const status = (pod: string) =>
    runHauberk(["proxy-status", pod, "-n", "pairs", "--data", mesh.data]);
  const { output } = await status("deploy/one");
  const [head = "", row = "", ...matches] = output.trimEnd().split("\n");
  assert.match(head, /^NAME /);
  assert.match(row, /^one-0\.pairs +\S+ +SYNCED +\w+$/);
  assert.deepEqual(matches, ["Clusters Match", "Listeners Match", "Routes Match"]);
  const missing = await status("nobody");
  assert.equal(missing.code, 1);
  assert.match(missing.errors, /pairs\/nobody has no sidecar; there are .*pairs\/one-0/);
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
