/**
 * Operational log: one JSON object a line, so that a person can grep it and a program can read it.
 * Never pass key material or tokens as a field.
 */
import type { Clock } from "./clock.ts";
import { printableJson } from "./printable.ts";

/** From the least important on. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  /** What only somebody who looks for a fault wants to read; nothing that comes with every request. */
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Longer than anything of ours; what others choose does not decide how long a line is. */
const MAX_FIELD_CHARACTERS = 8_192;

/** How much is written, where nobody says otherwise. */
export const DEFAULT_LOG_LEVEL: LogLevel = "info";

/**
 * @param write receives one line without its line end
 * @param threshold the least important level that is written; asked for every line, so that it may change
 */
export function createLog(
  write: (line: string) => void,
  clock: Clock,
  threshold: { readonly current: LogLevel } = { current: DEFAULT_LOG_LEVEL },
): Log {
  const line =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(threshold.current)) return;
      const time = clock.now().toISOString();
      write(printableJson(JSON.stringify({ time, level, message, ...fields }, cutField)));
    };
  return {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
  };
}

/** The same log, each line of which has these fields too. */
export function logWith(log: Log, always: LogFields): Log {
  return {
    debug: (message, fields) => log.debug(message, { ...always, ...fields }),
    info: (message, fields) => log.info(message, { ...always, ...fields }),
    warn: (message, fields) => log.warn(message, { ...always, ...fields }),
    error: (message, fields) => log.error(message, { ...always, ...fields }),
  };
}

function cutField(_name: string, value: unknown): unknown {
  return typeof value === "string" ? cut(value, MAX_FIELD_CHARACTERS) : value;
}

/** What somebody else chose, as much of it as a log needs. */
export function cut(text: string, maxCharacters: number): string {
  const more = text.length - maxCharacters;
  return more <= 0 ? text : `${text.slice(0, maxCharacters)}… and ${more} characters more`;
}

/** For callers that want no log. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
