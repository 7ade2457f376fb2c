/** `hauberk proxy-config secret` under the pipelines that people have for istioctl, word for word. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { runHauberk } from "../kit/hauberk-command.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";

const skip = missingParts("openssl", "jq");
let mesh: RunningMesh;
before(async () => {
  if (skip === false) mesh = await runMesh(["test/meshes/pairs"]);
});
after(() => mesh?.stop());

async function secrets(...parameters: readonly string[]): Promise<string> {
  const { code, output, errors } = await runHauberk([
    ...["proxy-config", "secret", "--data", mesh.data],
    ...parameters,
  ]);
  assert.equal(code, 0, errors);
  return output;
}

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

test("a pod that is not there is said to be missing, with those that are", { skip }, async () => {
  const parameters = ["proxy-config", "secret", "nobody.pairs", "--data", mesh.data];
  const { code, errors } = await runHauberk(parameters);
  assert.equal(code, 1);
  assert.match(errors, /no pod nobody\.pairs; there are .*one-0\.pairs/);
});
