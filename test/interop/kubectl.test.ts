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
import type { ObjectStore } from "../../src/local/api-server/objects/object-store.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { servedKind, stageStore } from "../kit/api-server-stage.ts";
import { kubectlInPath } from "../kit/kubectl-in-path.ts";
import { KUBECTL_CALLS } from "../kit/kubernetes/kubectl-calls.ts";
import { type KubectlResult, playKubectl } from "../kit/kubernetes/play-kubectl.ts";
import { missingParts } from "../kit/missing-parts.ts";

const skip = missingParts("kubectl");
const recorded: KubectlResult[] = JSON.parse(
  readFileSync(new URL("../goldens/kubernetes/kubectl.json", import.meta.url), "utf8"),
);

const store: ObjectStore = stageStore({ complete: withAddress });
let server: ApiServer;
let folder: string;
let kubeconfig: string;

before(async () => {
  if (skip) return;
  await kubectlInPath("recorded");
  folder = await mkdtemp(join(tmpdir(), "hauberk-kubectl-"));
  kubeconfig = join(folder, "kubeconfig");
  const certificate = issueServingCertificate(systemClock);
  const token = newAccessToken();
  server = await startApiServer({
    store,
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

/** What depends on who is asked: not recorded, looked at here. */
const others: [args: string, told: RegExp][] = [
  ["create namespace shelf", /namespace\/shelf created/],
  ["create serviceaccount default -n shelf", /serviceaccount\/default created/],
  ["create token default -n shelf --audience=a", /^token-of-default$/m],
  ["create configmap kept -n shelf --from-literal=a=b", /created/],
  ["create deployment web -n shelf --image=shop:1", /deployment\.apps\/web created/],
  ["rollout restart deployment web -n shelf", /deployment\.apps\/web restarted/],
  [
    'patch deployment web -n shelf --subresource=status --type=merge -p {"status":{"observedGeneration":2,"replicas":1,"updatedReplicas":1,"readyReplicas":1,"availableReplicas":1}}',
    /patched/,
  ],
  ["rollout status deployment web -n shelf --timeout=10s", /successfully rolled out/],
  ["describe deployment web -n shelf", /1 desired \| 1 updated \| 1 total \| 1 available/],
  ["auth whoami", /hauberk:owner/],
  ["auth can-i --list", /\*\.\*/],
  [
    "api-resources --api-group=security.istio.io",
    /authorizationpolicies +ap +security\.istio\.io\/v1/,
  ],
  ["api-versions", /networking\.istio\.io\/v1\n/],
  ["version", /Server Version: v1\.32\.0\+hauberk/],
  ["explain peerauthentication.spec.mtls.mode", /UNSET\n +DISABLE\n +PERMISSIVE\n +STRICT/],
  ["get --raw /readyz", /^ok$/],
  ["delete namespace shelf --timeout=10s", /namespace "shelf" deleted/],
  ["get configmap,deployment -n shelf", /No resources found in shelf namespace/],
];

describe("kubectl finds its way", { skip }, () => {
  for (const [args, told] of others) {
    test(`kubectl ${args}`, async () => {
      const { output, errors } = await playKubectl({ args }, { kubeconfig, folder });
      assert.match(`${output}${errors}`, told);
    });
  }

  test("what an object owns goes with it", async () => {
    const place = { kubeconfig, folder };
    const metadata = { name: "owner" };
    const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata };
    await playKubectl({ args: "create -n default -f -", input: configMap }, place);
    const owned = store
      .list(servedKind("ConfigMap"), "default")
      .filter(({ metadata: own }) => own.name === "owner")
      .map(({ metadata: own, apiVersion, kind }) => ({
        apiVersion,
        kind,
        name: own.name,
        uid: own.uid,
      }));
    const dependent = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "owned", ownerReferences: owned },
    };
    await playKubectl({ args: "create -n default -f -", input: dependent }, place);
    await playKubectl({ args: "delete configmap owner -n default" }, place);
    const { errors } = await playKubectl({ args: "get secret owned -n default" }, place);
    assert.match(errors, /secrets "owned" not found/);
  });
});
