/**
 * Levels of single loggers, as `istioctl proxy-config log --level rbac:debug` sets them: `SCOPE:LEVEL` with commas. Our sidecar
 * has one log, and tells what policies decide whatever its level is; a real Envoy has loggers of its own.
 */
import { LOG_LEVELS, type LogLevel } from "../runtime/log.ts";

export interface ScopedLevel {
  readonly scope: string;
  /** The next one that we have. */
  readonly level: LogLevel;
  /** As Envoy calls it. */
  readonly envoyLevel: string;
}

/** All that is logged but decisions. */
export const DEFAULT_SCOPE = "default";
/** Where Envoy tells what policies decided. */
export const DECISIONS_SCOPE = "rbac";

/** Names of Envoy's loggers are such. */
const SCOPE = /^[a-z0-9_.-]{1,64}$/;
/** Envoy has about a hundred loggers. */
const MAX_SCOPES = 200;

/** Those of Envoy's levels that we have none of: the next one that we have. */
const OTHER_LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: "debug",
  warning: "warn",
  critical: "error",
  off: "error",
};

/** @returns undefined where it is no level of ours or of Envoy's */
export function logLevelNamed(word: string): LogLevel | undefined {
  const own = LOG_LEVELS.find((one) => one === word);
  return own ?? (Object.hasOwn(OTHER_LEVELS, word) ? OTHER_LEVELS[word] : undefined);
}

/** @returns a sentence where it is not of that form */
export function parseScopes(text: string): readonly ScopedLevel[] | string {
  const scopes: ScopedLevel[] = [];
  for (const part of text.split(",", MAX_SCOPES)) {
    const [scope = "", word = "", ...rest] = part.trim().split(":");
    const level = logLevelNamed(word);
    if (!SCOPE.test(scope) || level === undefined || rest.length > 0)
      return `${JSON.stringify(part.trim().slice(0, 80))}: expected SCOPE:LEVEL, where LEVEL is one of ${LOG_LEVELS.join(", ")}`;
    scopes.push({ scope, level, envoyLevel: word === "warn" ? "warning" : word });
  }
  return scopes;
}
