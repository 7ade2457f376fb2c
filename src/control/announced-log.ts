/** A log whose warnings and errors are told to whoever runs the mesh as well, in one line each. */
import type { Log, LogFields } from "../runtime/log.ts";

/** Fields that say more than the message; the rest is for the log. */
const TOLD = ["doing", "problem", "broke", "authority"] as const;

export function announcedLog(log: Log, announce: (line: string) => void): Log {
  const told =
    (level: "warn" | "error") =>
    (message: string, fields: LogFields = {}): void => {
      log[level](message, fields);
      const more = TOLD.flatMap((name) => fields[name] ?? []);
      announce([message, ...more].join(": "));
    };
  return { ...log, warn: told("warn"), error: told("error") };
}
