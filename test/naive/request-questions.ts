/** Questions about a request's host, method and headers (AP-52, AP-53, AP-80, AP-98) and the server name (AP-94). */
import type { HttpRequest } from "../../src/policy/traffic.ts";
import { ofRequest, type Question } from "./asked.ts";
import { lowerCase, matchesHeader, matchesText } from "./text-pattern.ts";

/** AP-52: with its port, in any case. */
export const askHost: Question = ofRequest((value, { authority }) =>
  matchesHeader(lowerCase(value), authority === undefined ? undefined : lowerCase(authority)),
);

/** AP-53 */
export const askMethod: Question = ofRequest((value, { method }) => matchesHeader(value, method));

/** AP-80; a value that keeps out does so among others of the same header too. */
export function askHeader(name: string): Question {
  const header = lowerCase(name);
  return ofRequest((value, request, { purpose }) => {
    const text = headerOf(request, header);
    const all = purpose === "let in" || ONCE.includes(header) ? [] : (text?.split(",") ?? []);
    const each = all.map((one) => one.replace(/^[ \t]*/, "").replace(/[ \t]*$/, ""));
    return [text, ...each].some((one) => matchesHeader(value, one));
  });
}

const ONCE = [":path", ":method", ":authority", "host"];

/** AP-94: empty where there is none. */
export const askServerName: Question = (value, { traffic }) =>
  matchesText(value, traffic.connection.serverName ?? "");

function headerOf(request: HttpRequest, name: string): string | undefined {
  if (name === ":path") return request.path;
  if (name === ":method") return request.method;
  // AP-98: Host and :authority are one.
  if (name === ":authority" || name === "host") return request.authority;
  return request.header(name);
}
