/** What is found in texts and their Rego: what `analyze` tells, and `audit` counts. */
import { cwd } from "node:process";
import { analyzeTexts } from "../analysis/analyze-texts.ts";
import { type Finding, findingAt } from "../analysis/finding.ts";
import type { Issue, Resource } from "../api/resource.ts";
import { TextReader } from "../control/written-texts.ts";
import { findProgram } from "../local/processes/find-program.ts";
import { regoAuthorizers } from "../policy/rego/rego-authorizers.ts";
import { systemClock } from "../runtime/clock.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import type { AskedTexts } from "./asked-texts.ts";
import { formatIssue } from "./format-issue.ts";
import { noticesOf } from "./load-mesh.ts";
import { analyzeRego } from "./rego/analyze-rego.ts";
import { RegoNotEvaluatedError } from "./rego/evaluate-rego.ts";

/** What is found in Rego. */
export const REGO_REFUSED = "HBK0200";
export const REGO_POINTLESS = "HBK0201";
const IN_REGO = { source: { file: "", line: 1 } };

/** Kinds that analyzers read though nothing here runs them. */
const READ_ALL_THE_SAME =
  /^not supported yet: (Pod|Node|ReplicaSet|DaemonSet|CustomResourceDefinition|(Mutating|Validating)WebhookConfiguration|Ingress|GRPCRoute|TLSRoute|TCPRoute)$/;

export interface AnalyzedTexts {
  readonly findings: readonly Finding[];
  /** What could not be looked at, a line each. */
  readonly problems: readonly string[];
}

export async function analyzeAsked({
  texts,
  issues,
  of,
  workloads,
}: AskedTexts): Promise<AnalyzedTexts> {
  const parsed = new TextReader().read(texts);
  const unread = [...issues, ...parsed.issues.filter((issue) => !isAnalyzed(issue))];
  const document = parsed.notices.filter(({ level }) => level === undefined);
  const notices = { document, mesh: noticesOf({ ...parsed, notices: [] }, { running: workloads }) };
  const gateway = of === "files" ? "assumed" : "written";
  const found = analyzeTexts(texts, { now: systemClock.now(), gateway, notices });
  const rego = await analyzeAuthorizers(parsed.resources);
  return {
    findings: [...found, ...rego.findings],
    problems: [...unread.map(formatIssue), ...rego.problems],
  };
}

/** What Istio's gates refuse is a finding of its own. */
function isAnalyzed({ level, path, problem }: Issue): boolean {
  if (level === "schema" || level === "webhook") return true;
  return path.endsWith("kind") && READ_ALL_THE_SAME.test(problem);
}

async function analyzeAuthorizers(resources: readonly Resource[]): Promise<AnalyzedTexts> {
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
        const code = level === "error" ? REGO_REFUSED : REGO_POINTLESS;
        findings.push(findingAt({ ...IN_REGO, resource: where, namespace }, code, [message]));
      }
    } catch (error) {
      if (!(error instanceof HauberkError)) throw error;
      problems.push(`${authorizer.title}: its Rego was not looked at: ${describeError(error)}`);
    }
  }
  return { findings, problems };
}

function findOpa(): Promise<string | undefined> {
  return findProgram("opa", { path: process.env["PATH"] ?? "", workingDirectory: cwd() });
}
