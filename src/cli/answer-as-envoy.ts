/** What a pod's sidecar answers to istioctl and other programs that take it for an Envoy. */
import type { AnswerAsEnvoy } from "../local/pod-streams/answer-as-envoy.ts";
import type { SidecarDump } from "../proxy/admin-dump.ts";
import { printedDump } from "./commands/proxy-config.ts";
import { clusterStatuses } from "./istioctl/cluster-statuses.ts";
import type { AgentDump } from "./istioctl/proxy-dump.ts";

/** The whole of a dump answers, whatever part of it is asked for by `mask`: who asks finds its part. */
export const answerAsEnvoy: AnswerAsEnvoy = ({ method, path }, ask) => {
  const { pathname, searchParams } = new URL(path, "http://sidecar");
  if (method !== "GET") return undefined;
  if (pathname === "/config_dump") return wholeDump(ask);
  const asked = pathname === "/clusters" && searchParams.get("format") === "json";
  return asked ? allClusters(ask) : undefined;
};

async function wholeDump(ask: (path: string) => Promise<string>): Promise<string> {
  return JSON.stringify(printedDump(await dumpOf(ask)).whole);
}

/** A real Envoy tells itself. */
async function allClusters(ask: (path: string) => Promise<string>): Promise<string> {
  const dump = await dumpOf(ask);
  if ("configs" in dump) return await ask("/clusters");
  return JSON.stringify(clusterStatuses(printedDump(dump).config.endpoints));
}

async function dumpOf(ask: (path: string) => Promise<string>): Promise<SidecarDump | AgentDump> {
  return JSON.parse(await ask("/config_dump")) as SidecarDump | AgentDump; // of this same version
}
