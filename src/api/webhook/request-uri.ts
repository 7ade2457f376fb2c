/**
 * URLs as Go's `net/url` reads them, which takes less than a browser does and, without a scheme, more. Only the scheme
 * is of interest here, and whether there is a URL at all.
 */
import { isIPv6 } from "node:net";

const SCHEME = /^([a-zA-Z][a-zA-Z0-9+.-]*):/;
const BROKEN_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const USER = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
/** Beyond ASCII everything goes; of ASCII no escape but that of "%" itself, and nothing that would need one. */
const HOST = /^(?:[\w\-.~!$&'()*+,;=:<>"[\]\u0080-\uffff]|%25|%[89a-fA-F][0-9a-fA-F])*$/;
const AUTHORITY = /^\/\/(?:([^/]*)@)?([^/]*)(.*)$/s;
const PORT = /^\d*$/;

/**
 * Reads `text` as a reference, of which what follows "#" is no part.
 *
 * @returns the scheme in lower case; undefined when `text` is no URL, or has no scheme
 */
export function urlScheme(text: string): string | undefined {
  const [url = ""] = text.split("#", 1);
  const [prefix = "", written = ""] = SCHEME.exec(url) ?? [];
  const scheme = written.toLowerCase();
  const rest = url.slice(prefix.length);
  const readable =
    scheme !== "" &&
    !hasControlCharacter(url) &&
    isEscaped(text.slice(url.length)) &&
    (!rest.startsWith("/") || isHierarchy(rest, { scheme, authority: "after //" }));
  return readable ? scheme : undefined;
}

/** @returns the scheme in lower case, "" when there is none; undefined when `text` is not an absolute URL or path */
export function requestUriScheme(text: string): string | undefined {
  if (text === "*") return "";
  const [prefix = "", written = ""] = SCHEME.exec(text) ?? [];
  const scheme = written.toLowerCase();
  const rest = text.slice(prefix.length);
  const [reference = ""] = rest.split("#", 1);
  const readable =
    !hasControlCharacter(text) &&
    isEscaped(rest.slice(reference.length)) &&
    (rest.startsWith("/")
      ? isHierarchy(rest, { scheme, authority: scheme === "" ? "never" : "after //" }) &&
        isHierarchy(reference, { scheme, authority: "after //" })
      : scheme !== "");
  return readable ? scheme : undefined;
}

interface HierarchyRules {
  readonly scheme: string;
  /** Whether "//" begins an authority; else all is path. A path without scheme has none when it begins with "///". */
  readonly authority: "after //" | "never";
}

function isHierarchy(text: string, { scheme, authority }: HierarchyRules): boolean {
  const [hierarchy = ""] = text.split("?", 1);
  const bare = scheme === "" && hierarchy.startsWith("///");
  if (authority === "never" || bare || !hierarchy.startsWith("//")) return isEscaped(hierarchy);
  const [, user = "", host = "", path = ""] = AUTHORITY.exec(hierarchy) ?? [];
  return USER.test(user) && isEscaped(user + path) && isHostAndPort(host, scheme);
}

/** @param scheme of web URLs the host has no colon; elsewhere the port is after the last one */
function isHostAndPort(text: string, scheme: string): boolean {
  const [, literal, port = ""] = /^\[(.*)\](?::(.*))?$/s.exec(text) ?? [];
  if (literal !== undefined) {
    return HOST.test(literal) && isIPv6(decodedZone(literal)) && PORT.test(port);
  }
  const colon = ["http", "https"].includes(scheme) ? text.indexOf(":") : text.lastIndexOf(":");
  const end = colon < 0 ? text.length : colon;
  return !text.includes("[") && HOST.test(text.slice(0, end)) && PORT.test(text.slice(end + 1));
}

function decodedZone(literal: string): string {
  return literal.replace("%25", "%");
}

function isEscaped(text: string): boolean {
  return !BROKEN_ESCAPE.test(text);
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\u007f");
}
