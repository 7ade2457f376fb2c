/** A log that remembers, so that a test can ask what was said. */
import type { Log, LogFields, LogLevel } from "../../src/runtime/log.ts";

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

export interface RecordedLog extends Log {
  readonly lines: readonly LogLine[];
  /** Every line that starts with `message`. */
  find(message: string): readonly LogLine[];
}

export function recordedLog(): RecordedLog {
  const lines: LogLine[] = [];
  const record =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      void lines.push({ level, message, fields });
  return {
    lines,
    find: (message) => lines.filter((line) => line.message.startsWith(message)),
    debug: record("debug"),
    info: record("info"),
    warn: record("warn"),
    error: record("error"),
  };
}
