/** What the administration of a pod with Envoy answers: Envoy's own pages, and the agent's where Envoy may not tell. */
import type { X509Svid } from "../identity/x509-svid.ts";
import { concealedView } from "../policy/concealed-view.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { describeCertificates } from "../proxy/admin-dump.ts";
import { type AdminPage, jsonPage, textPage } from "../proxy/admin-page.ts";
import {
  type AnswerAdmin,
  adminAnswers,
  logLevelPage,
  setLogLevel,
} from "../proxy/admin-routes.ts";
import { readyPage, type SidecarState } from "../proxy/admin-server.ts";
import { DEFAULT_SCOPE, parseScopes } from "../proxy/log-scopes.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { LOG_LEVELS, type Log, type LogLevel } from "../runtime/log.ts";
import type { Watched, WatchedValue } from "../runtime/watched.ts";
import type { EnvoyAdmin } from "./envoy-admin.ts";

export interface AgentAnswersOptions {
  readonly admin: Pick<EnvoyAdmin, "ask">;
  readonly state: () => SidecarState;
  readonly svid: Watched<X509Svid | undefined>;
  readonly views: Watched<WorkloadView | undefined>;
  /** Of the agent's log, and of Envoy's. */
  readonly logLevel: WatchedValue<LogLevel>;
  /** Begins to take no more; resolves when what was under way has ended. */
  readonly drain: () => Promise<void>;
  readonly log: Log;
}

/** Of Prometheus' text format. */
export const STATS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Nothing private is in it: Envoy conceals keys. */
const DUMP = "/config_dump?include_eds";

export function agentAnswers(options: AgentAnswersOptions): AnswerAdmin {
  const { admin, state, svid, views, logLevel, log } = options;
  const page = async (path: string): Promise<AdminPage> => json(await admin.ask({ path }));
  return adminAnswers(
    {
      "/certs": () =>
        jsonPage(describeCertificates(svid.current, views.current?.trust.rootsPem ?? [])),
      "/clusters": () => page("/clusters?format=json"),
      "/config_dump": async () => jsonPage(await dumpOf(options)),
      "/listeners": () => page("/listeners?format=json"),
      "/logging": () => logLevelPage(logLevel.current),
      "/ready": () => readyPage(state()),
      "/stats": async () => ({
        status: 200,
        contentType: STATS_CONTENT_TYPE,
        body: await admin.ask({ path: "/stats/prometheus" }),
      }),
    },
    {
      "/drain": (parameters) => drain(options, parameters),
      "/logging": async (parameters) => {
        const scopes = parameters.get("scopes");
        if (scopes !== null && parameters.size === 1) return setLoggers(options, scopes);
        const answer = setLogLevel({ logLevel, log }, parameters);
        const level = ENVOY_LEVELS[logLevel.current];
        if (answer.status === 200)
          await admin.ask({ method: "POST", path: `/logging?level=${level}` });
        return answer;
      },
    },
    { "/limit": () => textPage(404, "Envoy does not tell what is left of a limit\n") },
  );
}

/** Envoy says more at each of its levels than we do. */
const ENVOY_LEVELS: Readonly<Record<LogLevel, string>> = {
  debug: "debug",
  info: "warning",
  warn: "warning",
  error: "error",
};

/** Of Envoy's loggers those that are named; `default` is the agent's own log. */
async function setLoggers(
  { admin, logLevel, log }: AgentAnswersOptions,
  text: string,
): Promise<AdminPage> {
  const wanted = parseScopes(text);
  if (typeof wanted === "string") return textPage(400, `${wanted}\n`);
  const known = [
    DEFAULT_SCOPE,
    ...loggersIn(await admin.ask({ method: "POST", path: "/logging" })),
  ];
  const unknown = wanted.find(({ scope }) => !known.includes(scope));
  if (unknown !== undefined)
    return textPage(400, `no scope is called ${unknown.scope}; there is ${known.join(", ")}\n`);
  for (const { scope, level, envoyLevel } of wanted) {
    if (scope === DEFAULT_SCOPE) setLogLevel({ logLevel, log }, new URLSearchParams({ level }));
    else await admin.ask({ method: "POST", path: `/logging?${scope}=${envoyLevel}` });
  }
  const scopes = Object.fromEntries(wanted.map(({ scope, envoyLevel }) => [scope, envoyLevel]));
  return jsonPage({ level: logLevel.current, levels: LOG_LEVELS, scopes });
}

/** Lines such as `  rbac: warning`, below a heading. */
function loggersIn(told: string): readonly string[] {
  return [...told.matchAll(/^ +([\w.-]+): \w+$/gm)].map(([, name = ""]) => name);
}

/** Envoy's own, and beside it the view of which it is made: Envoy has policies by discovery, where istioctl does not look. */
async function dumpOf({ admin, views }: AgentAnswersOptions): Promise<object> {
  const dump: unknown = JSON.parse(await admin.ask({ path: DUMP }));
  const view = views.current;
  return { ...Object(dump), ...(view && { view: concealedView(view) }) };
}

function json(body: string): AdminPage {
  return { status: 200, contentType: "application/json", body };
}

/** Whoever asks does not wait for the end: connections may take their time. */
function drain(
  { state, drain: begin, log }: AgentAnswersOptions,
  parameters: URLSearchParams,
): AdminPage {
  if (parameters.size !== 0) return textPage(400, "/drain takes no parameters\n");
  if (state() === "starting") return textPage(409, "Envoy does not serve yet\n");
  log.warn("Envoy drains: it was asked to");
  begin().catch((error: unknown) =>
    log.error("Envoy did not drain", { problem: describeError(error) }),
  );
  return textPage(202, "draining\n");
}
