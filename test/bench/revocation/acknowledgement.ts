/** What the control plane knows of a pod's proxy: which rules it has said it judges by. */
import { askControlPlane } from "../../../src/local/control-plane-client.ts";
import type { DataDirectory } from "../../../src/local/data-directory.ts";
import { eventually } from "../../kit/eventually.ts";

/** @returns the version of what it obeys; undefined while it has something else to answer */
export async function obeyedVersion(
  directory: DataDirectory,
  pod: string,
): Promise<string | undefined> {
  const reply = await askControlPlane(directory, { type: "proxy-status" });
  const proxies = reply.type === "proxy-status" ? reply.proxies : [];
  const proxy = proxies.find((one) => one.pod === pod);
  if (proxy?.envoy === undefined || proxy.envoy.length === 0)
    return proxy?.versionSent === proxy?.versionAcked ? proxy?.versionAcked : undefined;
  const rules = proxy.envoy.find(({ type }) => type === "authorization");
  return rules?.state === "synced" ? rules.version : undefined;
}

/** @returns when it was first seen to obey something else, as `performance.now()` */
export async function acknowledgedAt(
  directory: DataDirectory,
  pod: string,
  before: string,
): Promise<number> {
  await eventually("the acknowledgement", async () => {
    const now = await obeyedVersion(directory, pod);
    return now !== undefined && now !== before;
  });
  return performance.now();
}
