/**
 * kubectl, which none of us wrote, against our API server: every command line says what it says against a real
 * kube-apiserver (recorded by `test/interop/kubernetes/record.ts`), and what only a mesh makes true.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { newAccessToken } from "../../src/local/api-server/access/access-token.ts";
import { writeKubeconfig } from "../../src/local/api-server/access/kubeconfig.ts";
import { issueServingCertificate } from "../../src/local/api-server/access/serving-certificate.ts";
import { type ApiServer, startApiServer } from "../../src/local/api-server/api-server.ts";
import { objectAt } from "../../src/local/api-server/kinds/json-access.ts";
import type { KubernetesObject } from "../../src/local/api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../../src/local/api-server/kinds/served-kind.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { stageStore } from "../kit/api-server-stage.ts";
import { KUBECTL_CALLS } from "../kit/kubernetes/kubectl-calls.ts";
import { type KubectlResult, playKubectl } from "../kit/kubernetes/play-kubectl.ts";
import { missingParts } from "../kit/missing-parts.ts";

const skip = missingParts("kubectl");
const recorded: KubectlResult[] = JSON.parse(
  readFileSync(new URL("../goldens/kubernetes/kubectl.json", import.meta.url), "utf8"),
);

let server: ApiServer;
let folder: string;
let kubeconfig: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-kubectl-"));
  kubeconfig = join(folder, "kubeconfig");
  const certificate = issueServingCertificate(systemClock);
  const token = newAccessToken();
  server = await startApiServer({
    store: stageStore({ complete: withAddress }),
    address: "127.0.0.1",
    port: 0,
    certificate,
    token,
    log: silentLog,
    issueToken: async ({ serviceAccount, audiences, lifetimeMs }) => ({
      token: `token-of-${serviceAccount}`,
      audiences,
      expiresAt: new Date(Date.now() + lifetimeMs),
    }),
  });
  const { authorityPem } = certificate;
  await writeKubeconfig(kubeconfig, { name: "mesh", server: server.url, authorityPem, token });
});
after(async () => {
  await server?.close();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

/** What a real server gives a Service. */
function withAddress({ kind }: ServedKind, object: KubernetesObject): KubernetesObject {
  if (kind !== "Service") return object;
  const given = { clusterIP: "10.96.0.2", clusterIPs: ["10.96.0.2"], ipFamilies: ["IPv4"] };
  const spec = { ...given, ipFamilyPolicy: "SingleStack", ...objectAt(object, "spec") };
  return { ...object, spec };
}

describe("kubectl says what it says of a real kube-apiserver", { skip }, () => {
  test("there is a recording of every call", () =>
    assert.deepEqual(
      recorded.map(({ args }) => args),
      KUBECTL_CALLS.map(({ args }) => args),
    ));
  for (const [index, call] of KUBECTL_CALLS.entries()) {
    test(`${index}: kubectl ${call.args}`, async () =>
      assert.deepEqual(await playKubectl(call, { kubeconfig, folder }), recorded[index]));
  }
});
