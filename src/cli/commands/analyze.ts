/** `hauberk analyze`: what is good YAML and yet not what its writer can have meant. Of files, or of the mesh that runs. */
import type { Finding } from "../../analysis/finding.ts";
import { printable } from "../../runtime/printable.ts";
import { analyzeAsked, REGO_POINTLESS, REGO_REFUSED } from "../analyze-asked.ts";
import { askedTexts } from "../asked-texts.ts";
import { findingInJson, formatFinding } from "../format-finding.ts";
import { jsonText } from "../json-text.ts";
import type { Printers } from "../print-line.ts";

export interface AnalyzeCommandOptions {
  readonly data: string;
  /** Only what concerns resources of this namespace, and of none. */
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly output?: "log" | "json";
  /** What `-` reads; absent: standard input. */
  readonly input?: AsyncIterable<Uint8Array>;
}

/** Exit codes: scripts rely on them. */
const NOTHING = 0;
const FOUND = 1;
const NOT_LOOKED_AT = 2;

/**
 * @param paths files, folders of them, and `-`; none: the mesh that runs
 * @returns the exit code: 0 nothing is odd, 1 something is, 2 something could not be looked at
 * @throws NoMeshError
 */
export async function analyzeCommand(
  paths: readonly string[],
  options: AnalyzeCommandOptions,
  { print, warn }: Printers,
): Promise<number> {
  const { findings: found, problems } = await analyzeAsked(await askedTexts({ paths, ...options }));
  const findings = found.filter((one) => isAsked(one, options));
  for (const problem of problems) warn(printable(problem));
  if (options.output === "json") print(jsonText(findings.map(findingInJson)));
  else for (const finding of findings) print(printable(lineOf(finding)));
  const isClean = findings.length === 0 && problems.length === 0;
  if (isClean && options.output !== "json") print("nothing odd was found");
  if (problems.length > 0) return NOT_LOOKED_AT;
  return findings.some(({ level }) => level !== "Info") ? FOUND : NOTHING;
}

function isAsked(
  { namespace }: Finding,
  { namespace: asked, allNamespaces }: AnalyzeCommandOptions,
): boolean {
  return asked === undefined || allNamespaces === true || ["", asked].includes(namespace);
}

/** A place in Rego is inside of a text that a resource holds: the resource says it, as OPA's own messages do. */
function lineOf(finding: Finding): string {
  const { code, resource, level, message } = finding;
  const isRego = code === REGO_REFUSED || code === REGO_POINTLESS;
  return isRego ? `${resource}: ${level.toLowerCase()}: ${message}` : formatFinding(finding);
}
