/** `hauberk analyze`: what is good YAML and yet not what its writer can have meant. Of files, or of the mesh that runs. */
import { cwd } from "node:process";
import { analyzeTexts } from "../../analysis/analyze-texts.ts";
import { type Finding, findingAt } from "../../analysis/finding.ts";
import type { Issue, Resource } from "../../api/resource.ts";
import { TextReader } from "../../control/written-texts.ts";
import { findProgram } from "../../local/processes/find-program.ts";
import { regoAuthorizers } from "../../policy/rego/rego-authorizers.ts";
import { describeError, HauberkError } from "../../runtime/hauberk-error.ts";
import { printable } from "../../runtime/printable.ts";
import { askedTexts } from "../asked-texts.ts";
import { findingInJson, formatFinding } from "../format-finding.ts";
import { formatIssue } from "../format-issue.ts";
import { jsonText } from "../json-text.ts";
import { noticesOf } from "../load-mesh.ts";
import type { Printers } from "../print-line.ts";
import { analyzeRego } from "../rego/analyze-rego.ts";
import { RegoNotEvaluatedError } from "../rego/evaluate-rego.ts";

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

/** What is found in Rego. */
const REFUSED = "HBK0200";
const POINTLESS = "HBK0201";
const IN_REGO = { source: { file: "", line: 1 } };

/** Kinds that analyzers read though nothing here runs them. */
const READ_ALL_THE_SAME =
  /^not supported yet: (Pod|Node|ReplicaSet|DaemonSet|CustomResourceDefinition|(Mutating|Validating)WebhookConfiguration|Ingress|GRPCRoute|TLSRoute|TCPRoute)$/;

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
  const { texts, issues: unread, of } = await askedTexts({ paths, ...options });
  const parsed = new TextReader().read(texts);
  const problems = [...unread, ...parsed.issues.filter((issue) => !isAnalyzed(issue))].map(
    formatIssue,
  );
  const document = parsed.notices.filter(({ level }) => level === undefined);
  const notices = { document, mesh: noticesOf({ ...parsed, notices: [] }) };
  const gateway = of === "files" ? "assumed" : "written";
  const found = analyzeTexts(texts, { gateway, notices });
  const rego = await analyzeAuthorizers(parsed.resources);
  problems.push(...rego.problems);
  const findings = [...found, ...rego.findings].filter((one) => isAsked(one, options));
  for (const problem of problems) warn(printable(problem));
  if (options.output === "json") print(jsonText(findings.map(findingInJson)));
  else for (const finding of findings) print(printable(lineOf(finding)));
  const isClean = findings.length === 0 && problems.length === 0;
  if (isClean && options.output !== "json") print("nothing odd was found");
  if (problems.length > 0) return NOT_LOOKED_AT;
  return findings.some(({ level }) => level !== "Info") ? FOUND : NOTHING;
}

/** What Istio's gates refuse is a finding of its own. */
function isAnalyzed({ level, path, problem }: Issue): boolean {
  if (level === "schema" || level === "webhook") return true;
  return path.endsWith("kind") && READ_ALL_THE_SAME.test(problem);
}

function isAsked(
  { namespace }: Finding,
  { namespace: asked, allNamespaces }: AnalyzeCommandOptions,
): boolean {
  return asked === undefined || allNamespaces === true || ["", asked].includes(namespace);
}

interface FoundInRego {
  readonly findings: readonly Finding[];
  readonly problems: readonly string[];
}

async function analyzeAuthorizers(resources: readonly Resource[]): Promise<FoundInRego> {
  const authorizers = regoAuthorizers(resources);
  const findings: Finding[] = [];
  const problems: string[] = [];
  const opa = authorizers.length === 0 ? undefined : await findOpa();
  for (const authorizer of authorizers) {
    const { namespace } = authorizer;
    try {
      if (opa === undefined)
        throw new RegoNotEvaluatedError("there is no program opa in your PATH");
      for (const { level, where, message } of await analyzeRego(authorizer, opa)) {
        const code = level === "error" ? REFUSED : POINTLESS;
        findings.push(findingAt({ ...IN_REGO, resource: where, namespace }, code, [message]));
      }
    } catch (error) {
      if (!(error instanceof HauberkError)) throw error;
      problems.push(`${authorizer.title}: its Rego was not looked at: ${describeError(error)}`);
    }
  }
  return { findings, problems };
}

/** A place in Rego is inside of a text that a resource holds: the resource says it, as OPA's own messages do. */
function lineOf(finding: Finding): string {
  const { code, resource, level, message } = finding;
  const isRego = code === REFUSED || code === POINTLESS;
  return isRego ? `${resource}: ${level.toLowerCase()}: ${message}` : formatFinding(finding);
}

function findOpa(): Promise<string | undefined> {
  return findProgram("opa", { path: process.env["PATH"] ?? "", workingDirectory: cwd() });
}
