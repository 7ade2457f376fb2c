/** What a route of a VirtualService answers by itself: `redirect` and `directResponse`. Their form is checked already. */
import type { Fields } from "../decoder.ts";
import { numberIn, textIn } from "../webhook/written-values.ts";
import {
  type PathRewrite,
  REDIRECT_STATUSES,
  type RedirectStatus,
  type ResponseAction,
} from "./route-parts.ts";

/** As written: which port is meant depends on where the request came in. */
export interface WrittenRedirect {
  readonly do: "redirect";
  readonly status: RedirectStatus;
  readonly scheme?: "http" | "https";
  readonly authority?: string;
  /** "request": the port that was called; absent: as the scheme has it. */
  readonly port?: number | "request";
  readonly path?: PathRewrite;
}

export function redirect(fields: Fields): WrittenRedirect {
  const scheme = textIn(fields, "scheme");
  const authority = textIn(fields, "authority");
  const path = redirectPath(fields);
  return {
    do: "redirect",
    status: redirectStatus(fields),
    ...((scheme === "http" || scheme === "https") && { scheme }),
    ...(authority !== "" && { authority }),
    ...portOf(fields),
    ...(path && { path }),
  };
}

function redirectStatus(fields: Fields): RedirectStatus {
  const code = numberIn(fields, "redirectCode") || 301;
  const status = REDIRECT_STATUSES.find((one) => one === code);
  if (status === undefined) {
    const expected = REDIRECT_STATUSES.join(", ");
    fields.report(
      "redirectCode",
      `is ${code}, with which no proxy redirects; expected one of ${expected}`,
    );
  }
  return status ?? 301;
}

function portOf(fields: Fields): Pick<WrittenRedirect, "port"> {
  const port = numberIn(fields, "port");
  if (port > 0) return { port };
  return textIn(fields, "derivePort") === "FROM_REQUEST_PORT" ? { port: "request" } : {};
}

function redirectPath(fields: Fields): PathRewrite | undefined {
  const [prefix, path] = [textIn(fields, "prefixRewrite"), textIn(fields, "uri")];
  if (prefix !== "") return { do: "replace-prefix", prefix };
  return path === "" ? undefined : { do: "replace-path", path };
}

export function directResponse(fields: Fields): ResponseAction {
  const body = fields.section("body");
  const [text, base64] = [textIn(body, "string"), textIn(body, "bytes")];
  return {
    do: "respond",
    status: numberIn(fields, "status"),
    ...(base64 !== "" ? { body: { base64 } } : text !== "" && { body: { text } }),
  };
}
