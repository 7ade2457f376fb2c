/** A line of a sidecar's access log. */
import type { AccessLogEntry } from "../telemetry/access-log.ts";

/** @returns undefined for what is no entry, such as a line that a full disk cut short */
export function parseLogEntry(line: string): AccessLogEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isEntry = typeof value === "object" && value !== null && "start_time" in value;
    return isEntry ? (value as AccessLogEntry) : undefined;
  } catch {
    return undefined;
  }
}
