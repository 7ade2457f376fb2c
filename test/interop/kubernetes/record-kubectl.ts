/** Plays kubectl's command lines to a real kube-apiserver, and keeps what it says. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KUBECTL_CALLS } from "../../kit/kubernetes/kubectl-calls.ts";
import { type KubectlResult, playKubectl } from "../../kit/kubernetes/play-kubectl.ts";
import type { RealApiServer } from "./real-api-server.ts";

/** @param real serves Istio's kinds too */
export async function recordKubectl(
  real: Pick<RealApiServer, "url" | "token">,
): Promise<KubectlResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-kubectl-"));
  try {
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, configOf(real), { mode: 0o600 });
    const results: KubectlResult[] = [];
    for (const call of KUBECTL_CALLS) results.push(await playKubectl(call, { kubeconfig, folder }));
    return results;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function configOf({ url, token }: Pick<RealApiServer, "url" | "token">): string {
  const cluster = { server: url, "insecure-skip-tls-verify": true };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "real", cluster }],
    users: [{ name: "real", user: { token } }],
    contexts: [{ name: "real", context: { cluster: "real", user: "real" } }],
    "current-context": "real",
  });
}
