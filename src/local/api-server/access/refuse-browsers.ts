/**
 * Requests that no client of ours makes. A page in a browser may send requests to any port of this machine, and a name
 * of its own may lead here (DNS rebinding): neither is answered.
 */
import type { IncomingHttpHeaders } from "node:http";
import { StatusError } from "../objects/status-error.ts";

const NAMES = ["127.0.0.1", "localhost", "[::1]", "kubernetes.default.svc"];

/**
 * @param port the one that is listened on
 * @throws StatusError 403
 */
export function refuseBrowsers(headers: IncomingHttpHeaders, port: number): void {
  const host = headers.host?.toLowerCase() ?? "";
  const isOurs = NAMES.some((name) => host === name || host === `${name}:${port}`);
  if (!isOurs) throw refusal(`this server is not ${JSON.stringify(host.slice(0, 255))}`);
  if (headers.origin !== undefined || headers["sec-fetch-site"] !== undefined)
    throw refusal("browsers are not served");
}

function refusal(message: string): StatusError {
  return new StatusError(403, "Forbidden", { message });
}
