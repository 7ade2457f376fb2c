/** Where keys are fetched from (`jwksUri`), as Go's parser of URLs takes it, and not the more lenient one of browsers. */
import { quoted } from "./quoted.ts";

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;
/** What may stand in a host: everything that needs no escape, and a few that Go lets pass. */
const HOST = /^[\w.~!$&'()*+,;=:<>"[\]-]*$/;
const BROKEN_ESCAPE = /%(?![0-9a-f]{2})/i;

/** @returns what is wrong with it; undefined when nothing is (VAL-42) */
export function jwksUriProblem(uri: string): string | undefined {
  const scheme = SCHEME.exec(uri)?.[1]?.toLowerCase();
  if (scheme !== "http" && scheme !== "https") {
    return `${quoted(uri)} is not a URL that keys can be fetched from; expected https://HOST/PATH`;
  }
  const rest = uri.slice(scheme.length + 1);
  const [, authority = "", path = ""] = /^(?:\/\/([^/?#]*))?([^?#]*)/.exec(rest) ?? [];
  const fragment = /#(.*)$/s.exec(rest)?.[1] ?? "";
  if (hasControlCharacter(uri) || BROKEN_ESCAPE.test(path) || BROKEN_ESCAPE.test(fragment)) {
    return `${quoted(uri)} is not a URL: it has a control character or a broken escape`;
  }
  return authorityProblem(authority);
}

function authorityProblem(authority: string): string | undefined {
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const [, port = ""] = /^(?:\[[^\]]*\]|[^[\]]*?)(?::(.*))?$/s.exec(host) ?? [];
  if (!HOST.test(host) || !/^\d*$/.test(port)) return `${quoted(authority)} is not a host and port`;
  return undefined;
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\u007f");
}
