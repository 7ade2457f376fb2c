/** A request as routes ask about it, before anything of it is rewritten. */
import type { HttpRequest } from "../traffic.ts";

export interface RoutedRequest
  extends Pick<HttpRequest, "method" | "authority" | "token" | "header"> {
  /** With its query, as authorised; absent for CONNECT without a path. */
  readonly path?: string | undefined;
  readonly scheme: "http" | "https";
  /** Of the service that was called, where a sidecar asks. */
  readonly port?: number | undefined;
}

/** The path without its query. */
export function pathnameOf(path: string): string {
  const end = path.indexOf("?");
  return end < 0 ? path : path.slice(0, end);
}

/** The first parameter of that name, as written; undefined when there is none. @param path with its query */
export function queryParamOf(path: string, name: string): string | undefined {
  let start = path.indexOf("?") + 1;
  while (start > 0 && start < path.length) {
    const next = path.indexOf("&", start);
    const end = next < 0 ? path.length : next;
    if (path.startsWith(name, start)) {
      const after = start + name.length;
      if (after === end) return "";
      if (after < end && path[after] === "=") return path.slice(after + 1, end);
    }
    start = end + 1;
  }
  return undefined;
}
