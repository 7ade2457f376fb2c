/** What a sidecar's administration answers: of a sidecar that is one process, or of one of its workers. */
import { describeError } from "../runtime/hauberk-error.ts";
import { DEFAULT_LOG_LEVEL, type Log, type LogLevel } from "../runtime/log.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { type DumpSources, describeSidecar } from "./admin-dump.ts";
import { limitPage } from "./admin-limit.ts";
import { type AdminPage, jsonPage, textPage } from "./admin-page.ts";
import { type AnswerAdmin, adminAnswers, logLevelPage, setLogLevel } from "./admin-routes.ts";
import { type AdminOptions, metricsPage, readyPage } from "./admin-server.ts";
import type { KnownLimits } from "./rate-limits/known-limits.ts";

export interface AdminSources extends DumpSources {
  readonly metrics: AdminOptions["metrics"];
  /** Of `log`. */
  readonly logLevel?: WatchedValue<LogLevel> | undefined;
  /** Absent: nothing counts. */
  readonly limitLeft?: KnownLimits["left"] | undefined;
  /** Begins to take no more, as on SIGTERM; resolves when what was under way has ended. */
  readonly drain: () => Promise<void>;
  readonly log: Log;
}

export function sidecarAnswers(sources: AdminSources): AnswerAdmin {
  const { state, metrics, log } = sources;
  const logLevel = sources.logLevel ?? new WatchedValue<LogLevel>(DEFAULT_LOG_LEVEL);
  return adminAnswers(
    {
      "/certs": () => jsonPage(describeSidecar(sources).certificates),
      "/clusters": () => jsonPage(describeSidecar(sources).clusters),
      "/config_dump": () => jsonPage(describeSidecar(sources)),
      "/listeners": () => jsonPage(describeSidecar(sources).listeners),
      "/logging": () => logLevelPage(logLevel.current),
      "/ready": () => readyPage(state()),
      "/stats": () => metricsPage(metrics),
    },
    {
      "/drain": (parameters) => drain(sources, parameters),
      "/logging": (parameters) => setLogLevel({ logLevel, log }, parameters),
    },
    { "/limit": (parameters) => limitPage(sources.limitLeft, parameters) },
  );
}

/** Whoever asks does not wait for the end: connections may take their time. */
function drain({ state, drain: begin, log }: AdminSources, parameters: URLSearchParams): AdminPage {
  if (parameters.size !== 0) return textPage(400, "/drain takes no parameters\n");
  if (state() === "starting") return textPage(409, "the sidecar does not serve yet\n");
  log.warn("the sidecar drains: it was asked to");
  begin().catch((error: unknown) =>
    log.error("the sidecar did not drain", { problem: describeError(error) }),
  );
  return textPage(202, "draining\n");
}
