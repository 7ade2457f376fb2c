/**
 * Operational log: one JSON object a line, so that a person can grep it and a program can read it.
 * Never pass key material or tokens as a field.
 */
import type { Clock } from "./clock.ts";
import { printableJson } from "./printable.ts";

export type LogLevel = "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** @param write receives one line without its line end */
export function createLog(write: (line: string) => void, clock: Clock): Log {
  const line =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      const time = clock.now().toISOString();
      write(printableJson(JSON.stringify({ time, level, message, ...fields })));
    };
  return { info: line("info"), warn: line("warn"), error: line("error") };
}

/** For callers that want no log. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };
