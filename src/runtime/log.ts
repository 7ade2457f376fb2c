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

/** Longer than anything of ours; what others choose does not decide how long a line is. */
const MAX_FIELD_CHARACTERS = 8_192;

/** @param write receives one line without its line end */
export function createLog(write: (line: string) => void, clock: Clock): Log {
  const line =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      const time = clock.now().toISOString();
      write(printableJson(JSON.stringify({ time, level, message, ...fields }, cutField)));
    };
  return { info: line("info"), warn: line("warn"), error: line("error") };
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
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };
