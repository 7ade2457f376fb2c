/**
 * What may be asked of a sidecar's administration, and what only POST may change: the same of a sidecar that is one
 * process, of each worker of one that is several, and of all of them together.
 */
import { LOG_LEVELS, type Log, type LogLevel } from "../runtime/log.ts";
import type { WatchedValue } from "../runtime/watched.ts";
import {
  type AdminPage,
  type AdminRequest,
  jsonPage,
  textPage,
  wrongMethodPage,
} from "./admin-page.ts";
import { DECISIONS_SCOPE, DEFAULT_SCOPE, parseScopes } from "./log-scopes.ts";

export type AnswerAdmin = (request: AdminRequest) => AdminPage | Promise<AdminPage>;

const READS = [
  "/certs",
  "/clusters",
  "/config_dump",
  "/listeners",
  "/logging",
  "/ready",
  "/stats",
] as const;
const CHANGES = ["/drain", "/logging"] as const;
/** Change nothing, and need to be told what is asked for. */
const QUESTIONS = ["/limit"] as const;

/** Without parameters. */
export type AdminReads = Readonly<
  Record<(typeof READS)[number], () => AdminPage | Promise<AdminPage>>
>;
export type AdminChanges = Readonly<
  Record<(typeof CHANGES)[number], (parameters: URLSearchParams) => AdminPage | Promise<AdminPage>>
>;

export type AdminQuestions = Readonly<
  Record<
    (typeof QUESTIONS)[number],
    (parameters: URLSearchParams) => AdminPage | Promise<AdminPage>
  >
>;

export function adminAnswers(
  reads: AdminReads,
  changes: AdminChanges,
  questions: AdminQuestions,
): AnswerAdmin {
  return ({ method, path, parameters }) => {
    const question = QUESTIONS.find(isSame(path));
    if (question !== undefined && method === "GET") return questions[question](parameters);
    if (question !== undefined) return wrongMethodPage("GET", `${path} only tells something`);
    const [toRead, toChange] = [READS.find(isSame(path)), CHANGES.find(isSame(path))];
    if (toRead === undefined && toChange === undefined) return textPage(404, OVERVIEW);
    if (method === "POST") {
      if (toChange !== undefined) return changes[toChange](parameters);
      return wrongMethodPage("GET", `${path} only tells something: ask with GET`);
    }
    const asPost = `${path} changes what the sidecar does: ask with POST`;
    if (method !== "GET") return wrongMethodPage("GET", "only GET and POST are served");
    if (toRead === undefined) return wrongMethodPage("POST", asPost);
    if (parameters.size === 0) return reads[toRead]();
    return toChange === undefined
      ? textPage(400, `${path} takes no parameters\n`)
      : wrongMethodPage("POST", asPost);
  };
}

export function logLevelPage(level: LogLevel): AdminPage {
  return jsonPage({ level, levels: LOG_LEVELS });
}

export function setLogLevel(
  { logLevel, log }: { readonly logLevel: WatchedValue<LogLevel>; readonly log: Log },
  parameters: URLSearchParams,
): AdminPage {
  const scopes = parameters.get("scopes");
  if (scopes !== null && parameters.size === 1) return setScopes({ logLevel, log }, scopes);
  const level = LOG_LEVELS.find((one) => one === parameters.get("level"));
  if (level === undefined || parameters.size !== 1)
    return textPage(400, `level: expected exactly one of ${LOG_LEVELS.join(", ")}\n`);
  changeLevel({ logLevel, log }, level);
  return logLevelPage(level);
}

interface ChangedLog {
  readonly logLevel: WatchedValue<LogLevel>;
  readonly log: Log;
}

/** Decisions are told at any level, so that it is no fault to ask for them. */
function setScopes({ logLevel, log }: ChangedLog, text: string): AdminPage {
  const scopes = parseScopes(text);
  if (typeof scopes === "string") return textPage(400, `${scopes}\n`);
  const known = [DEFAULT_SCOPE, DECISIONS_SCOPE];
  const unknown = scopes.find(({ scope }) => !known.includes(scope));
  if (unknown !== undefined)
    return textPage(400, `no scope is called ${unknown.scope}; there is ${known.join(", ")}\n`);
  const level = scopes.findLast(({ scope }) => scope === DEFAULT_SCOPE)?.level;
  if (level !== undefined) changeLevel({ logLevel, log }, level);
  return jsonPage({
    level: logLevel.current,
    levels: LOG_LEVELS,
    scopes: { [DEFAULT_SCOPE]: logLevel.current, [DECISIONS_SCOPE]: "always" },
  });
}

function changeLevel({ logLevel, log }: ChangedLog, level: LogLevel): void {
  const before = logLevel.current;
  logLevel.set(level);
  log.warn("log level changed", { from: before, to: level });
}

const OVERVIEW = `${[
  ...READS.map((path) => `GET ${path}`),
  "GET /limit?limit=NAMESPACE/NAME/LIMIT&bucket=KEY&sharer=IDENTITY",
  "POST /drain",
  `POST /logging?level=${LOG_LEVELS.join("|")}`,
  `POST /logging?scopes=${DEFAULT_SCOPE}:LEVEL,${DECISIONS_SCOPE}:LEVEL`,
].join("\n")}\n`;

function isSame(path: string): (one: string) => boolean {
  return (one) => one === path;
}
