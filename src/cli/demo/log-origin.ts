/** Tells whether a line of a log is about one connection, by the port it came from. */
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import type { LogLine } from "./log-search.ts";

/** @param port of the caller's own end; nothing comes from an unknown one */
export const comesFrom =
  (port: number | undefined) =>
  ({ downstream_remote_address: remote }: AccessLogEntry): boolean =>
    port !== undefined && remote?.endsWith(`:${port}`) === true;

/** A sidecar's own line about a connection that its application opened. */
export const opensFrom =
  (port: number | undefined) =>
  (line: LogLine): boolean =>
    line["message"] === "outbound connection opened" && String(line["from"]).endsWith(`:${port}`);
