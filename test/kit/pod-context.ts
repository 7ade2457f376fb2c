/** What a pod of tests has of the mesh around it: a folder, and nobody else. */
import type { Resource } from "../../src/api/resource.ts";
import { DataDirectory } from "../../src/local/data-directory.ts";
import type { PodContext } from "../../src/local/pods/pod-context.ts";

/** @param own what the test itself is told, or gives */
export function podContext(
  { folder, resources }: { readonly folder: string; readonly resources: readonly Resource[] },
  own: Partial<PodContext> = {},
): PodContext {
  return {
    dataDirectory: new DataDirectory(folder),
    hauberkCommand: [process.execPath, "none"],
    cluster: "Kubernetes",
    controlPlane: () => Promise.reject(new Error("no control plane serves")),
    network: undefined,
    serviceAddresses: () => ({}),
    issueToken: () => Promise.resolve("token"),
    envoy: () => Promise.resolve("/envoy"),
    resources: () => resources,
    workloads: () => [],
    report: () => undefined,
    onReadiness: () => undefined,
    onPlaced: () => undefined,
    closing: new AbortController().signal,
    random: () => 0,
    ...own,
  };
}
