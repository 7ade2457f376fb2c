/** `proxy-config log --level`, as istioctl takes it: a level for all, levels of single scopes, or both. */
import type { SidecarQuestion } from "../../local/pods/ask-sidecar.ts";
import { logLevelNamed, parseScopes } from "../../proxy/log-scopes.ts";
import { LOG_LEVELS } from "../../runtime/log.ts";

interface ToldLevels {
  readonly level: string;
  /** Those that were asked for; a sidecar of ours tells all it has. */
  readonly scopes?: Readonly<Record<string, string>>;
}

/** @returns what is wrong with it; undefined where nothing is */
export function levelsProblem(text: string): string | undefined {
  const { levels, scopes } = apart(text);
  const unknown = levels.find((word) => logLevelNamed(word) === undefined);
  if (unknown !== undefined)
    return `${JSON.stringify(unknown)} is no level; expected one of ${LOG_LEVELS.join(", ")}, or SCOPE:LEVEL with commas`;
  const problem = scopes === "" ? [] : parseScopes(scopes);
  return typeof problem === "string" ? problem : undefined;
}

/**
 * @param text without a problem; undefined: nothing is changed
 * @param ask the sidecar
 * @returns lines for people
 */
export async function toldLevels(
  text: string | undefined,
  ask: (question: SidecarQuestion) => Promise<ToldLevels>,
): Promise<readonly string[]> {
  const { levels, scopes } = apart(text);
  const level = logLevelNamed(levels.at(-1) ?? "");
  // Scopes may be refused: then nothing has changed.
  const known = await ask(
    scopes === "" ? { path: "/logging" } : change(`scopes=${encodeURIComponent(scopes)}`),
  );
  const now = level === undefined ? known : await ask(change(`level=${level}`));
  const told = Object.entries(known.scopes ?? {});
  return [`level: ${now.level}`, ...told.map(([scope, said]) => `${scope}: ${said}`)];
}

function change(query: string): SidecarQuestion {
  return { method: "POST", path: `/logging?${query}` };
}

function apart(text: string | undefined): {
  readonly levels: readonly string[];
  readonly scopes: string;
} {
  const parts = (text?.split(",") ?? []).map((part) => part.trim());
  const scopes = parts.filter((part) => part.includes(":")).join(",");
  return { levels: parts.filter((part) => !part.includes(":")), scopes };
}
