/**
 * A sidecar's administration: a Unix socket in a folder that is closed to others, by which whoever runs the mesh reads
 * what the sidecar holds, and changes what it does. Nothing here is served over TCP, and nothing here is secret.
 */
import type { Server } from "node:http";
import { describeError } from "../runtime/hauberk-error.ts";
import { DEFAULT_LOG_LEVEL, LOG_LEVELS, type Log, type LogLevel } from "../runtime/log.ts";
import { refuseOpenFolder } from "../runtime/owner-only-folder.ts";
import { listenOwnerOnly } from "../runtime/owner-only-socket.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { type DumpSources, describeSidecar } from "./admin-dump.ts";
import { closeAdminHttp, createAdminHttp } from "./admin-http.ts";
import {
  type AdminPage,
  type AdminRequest,
  jsonPage,
  textPage,
  wrongMethodPage,
} from "./admin-page.ts";
import { type AdminOptions, metricsPage, readyPage } from "./admin-server.ts";

export interface AdminSocketOptions extends DumpSources {
  /** In a folder that nobody else may enter. */
  readonly path: string;
  readonly metrics: AdminOptions["metrics"];
  /** Of `log`. */
  readonly logLevel: WatchedValue<LogLevel>;
  /** Begins to take no more, as on SIGTERM; resolves when what was under way has ended. */
  readonly drain: () => Promise<void>;
  readonly log: Log;
}

export interface AdminSocket {
  close(): Promise<void>;
}

type Answer = (
  options: AdminSocketOptions,
  parameters: URLSearchParams,
) => AdminPage | Promise<AdminPage>;

/** A command asks once, and goes. */
const MAX_CONNECTIONS = 16;

const READS: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["/certs", (options) => jsonPage(describeSidecar(options).certificates)],
  ["/clusters", (options) => jsonPage(describeSidecar(options).clusters)],
  ["/config_dump", (options) => jsonPage(describeSidecar(options))],
  ["/listeners", (options) => jsonPage(describeSidecar(options).listeners)],
  ["/logging", ({ logLevel }) => jsonPage({ level: logLevel.current, levels: LOG_LEVELS })],
  ["/ready", ({ state }) => readyPage(state())],
  ["/stats", ({ metrics }) => metricsPage(metrics)],
]);
const CHANGES: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["/drain", drain],
  ["/logging", setLogLevel],
]);

/**
 * Replaces a socket file that an earlier run left.
 *
 * @throws ListenError
 */
export async function openAdminSocket({
  logLevel = new WatchedValue<LogLevel>(DEFAULT_LOG_LEVEL),
  ...rest
}: Omit<AdminSocketOptions, "logLevel"> &
  Partial<Pick<AdminSocketOptions, "logLevel">>): Promise<AdminSocket> {
  const options = { ...rest, logLevel };
  const { path, log } = options;
  const server: Server = createAdminHttp({
    answer: (request) => answer(request, options),
    maxConnections: MAX_CONNECTIONS,
    log,
  });
  await refuseOpenFolder(path);
  await listenOwnerOnly(server, path);
  server.on("error", (error) =>
    log.error("admin socket failed", { problem: describeError(error) }),
  );
  return { close: () => closeAdminHttp(server) };
}

function answer(
  { method, path, parameters }: AdminRequest,
  options: AdminSocketOptions,
): AdminPage | Promise<AdminPage> {
  const [read, change] = [READS.get(path), CHANGES.get(path)];
  if (read === undefined && change === undefined) return textPage(404, overview());
  if (method === "POST") {
    if (change !== undefined) return change(options, parameters);
    return wrongMethodPage("GET", `${path} only tells something: ask with GET`);
  }
  const changes = `${path} changes what the sidecar does: ask with POST`;
  if (method !== "GET") return wrongMethodPage("GET", "only GET and POST are served");
  if (read === undefined) return wrongMethodPage("POST", changes);
  if (parameters.size === 0) return read(options, parameters);
  return change === undefined
    ? textPage(400, `${path} takes no parameters\n`)
    : wrongMethodPage("POST", changes);
}

function overview(): string {
  const reads = [...READS.keys()].map((path) => `GET ${path}`);
  return `${[...reads, "POST /drain", `POST /logging?level=${LOG_LEVELS.join("|")}`].join("\n")}\n`;
}

function setLogLevel(
  { logLevel, log }: AdminSocketOptions,
  parameters: URLSearchParams,
): AdminPage {
  const level = LOG_LEVELS.find((one) => one === parameters.get("level"));
  if (level === undefined || parameters.size !== 1)
    return textPage(400, `level: expected exactly one of ${LOG_LEVELS.join(", ")}\n`);
  const before = logLevel.current;
  logLevel.set(level);
  log.warn("log level changed", { from: before, to: level });
  return jsonPage({ level, levels: LOG_LEVELS });
}

/** Whoever asks does not wait for the end: connections may take their time. */
function drain(
  { state, drain: begin, log }: AdminSocketOptions,
  parameters: URLSearchParams,
): AdminPage {
  if (parameters.size !== 0) return textPage(400, "/drain takes no parameters\n");
  if (state() === "starting") return textPage(409, "the sidecar does not serve yet\n");
  log.warn("the sidecar drains: it was asked to");
  begin().catch((error: unknown) =>
    log.error("the sidecar did not drain", { problem: describeError(error) }),
  );
  return textPage(202, "draining\n");
}
