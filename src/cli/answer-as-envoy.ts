/** What a pod's sidecar answers to istioctl and other programs that take it for an Envoy. */
import type {
  AnswerAsEnvoy,
  AskAdministration,
  EnvoysAnswer,
} from "../local/pod-streams/answer-as-envoy.ts";
import type { SidecarDump } from "../proxy/admin-dump.ts";
import type { LogLevel } from "../runtime/log.ts";
import { printedDump } from "./commands/proxy-config.ts";
import { clusterStatuses } from "./istioctl/cluster-statuses.ts";
import type { AgentDump } from "./istioctl/proxy-dump.ts";

/** The whole of a dump answers, whatever part of it is asked for by `mask`: who asks finds its part. */
export const answerAsEnvoy: AnswerAsEnvoy = ({ method, path }, ask) => {
  const { pathname, searchParams } = new URL(path, "http://sidecar");
  if (pathname === "/logging" && method === "POST") return logLevels(searchParams, ask);
  if (method !== "GET") return undefined;
  if (pathname === "/config_dump") return wholeDump(ask);
  const asked = pathname === "/clusters" && searchParams.get("format") === "json";
  return asked ? allClusters(ask) : undefined;
};

async function wholeDump(ask: AskAdministration): Promise<EnvoysAnswer> {
  return json(printedDump(await dumpOf(ask)).whole);
}

/** A real Envoy tells itself. */
async function allClusters(ask: AskAdministration): Promise<EnvoysAnswer> {
  const dump = await dumpOf(ask);
  if ("configs" in dump)
    return {
      contentType: "application/json",
      body: await ask({ method: "GET", path: "/clusters" }),
    };
  return json(clusterStatuses(printedDump(dump).config.endpoints));
}

/** Those of Envoy's levels that we have none of. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: "debug",
  warning: "warn",
  critical: "error",
};

/** Without parameters Envoy only tells. There is one level for all. */
function logLevels(
  parameters: URLSearchParams,
  ask: AskAdministration,
): Promise<EnvoysAnswer> | undefined {
  const wanted = parameters.get("level");
  if (parameters.size === 0) return toldLevel(ask({ method: "GET", path: "/logging" }));
  if (wanted === null || parameters.size !== 1) return undefined;
  const level = encodeURIComponent(LEVELS[wanted] ?? wanted);
  return toldLevel(ask({ method: "POST", path: `/logging?level=${level}` }));
}

async function toldLevel(answer: Promise<string>): Promise<EnvoysAnswer> {
  const { level } = JSON.parse(await answer) as { readonly level: LogLevel };
  const told = level === "warn" ? "warning" : level;
  return { contentType: "text/plain", body: `active loggers:\n  all: ${told}\n` };
}

async function dumpOf(ask: AskAdministration): Promise<SidecarDump | AgentDump> {
  const text = await ask({ method: "GET", path: "/config_dump" });
  return JSON.parse(text) as SidecarDump | AgentDump; // of this same version
}

function json(value: object): EnvoysAnswer {
  return { contentType: "application/json", body: JSON.stringify(value) };
}
