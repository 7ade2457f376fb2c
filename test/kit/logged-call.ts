/** One request as access logs see it, changed as a test wants it. */
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import type { LoggedCall } from "../../src/telemetry/logged-call.ts";
import { accessLogEntry } from "./access-log-entry.ts";

export interface LoggedCallParts
  extends Omit<Partial<LoggedCall>, "entry" | "requestHeaders" | "responseHeaders"> {
  readonly entry?: Partial<AccessLogEntry>;
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

export function loggedCall(parts: LoggedCallParts = {}): LoggedCall {
  const { entry: changes, requestHeaders = {}, responseHeaders, ...rest } = parts;
  const entry = { ...accessLogEntry(), ...changes };
  return {
    startedAt: new Date(entry.start_time),
    requestHeaders: new Map(Object.entries(requestHeaders)),
    ...(responseHeaders && { responseHeaders: new Map(Object.entries(responseHeaders)) }),
    ...rest,
    entry,
  };
}
