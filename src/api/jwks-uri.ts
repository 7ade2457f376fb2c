/** Where keys are fetched from (`jwksUri`), as Go's parser of URLs takes it, and not the more lenient one of browsers. */
import { quoted } from "./quoted.ts";
import { urlScheme } from "./webhook/request-uri.ts";

const PORT = /^[^:]*:\/\/[^/?#]*:(\d+)(?:[/?#]|$)/;
/** Go's `int`: far more than a port can be. */
const MAX_PORT = 2n ** 63n - 1n;

/** @returns what is wrong with it; undefined when nothing is (VAL-42) */
export function jwksUriProblem(uri: string): string | undefined {
  const scheme = urlScheme(uri);
  if (scheme !== "http" && scheme !== "https") {
    return `${quoted(uri)} is not a URL that keys can be fetched from; expected https://HOST/PATH`;
  }
  const [, port = ""] = PORT.exec(uri) ?? [];
  return BigInt(port) > MAX_PORT
    ? `${quoted(uri)} has no port, but a number beyond all`
    : undefined;
}
