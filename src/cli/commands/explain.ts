/** `hauberk explain`: whether one request would be let through, and which rule decides. Needs no running mesh. */
import { formatLocation, formatRef, type Issue } from "../../api/resource.ts";
import type { Origin } from "../../policy/decision.ts";
import { explain } from "../../policy/explain.ts";
import { type Judgement, judge, type Question, QuestionError } from "../../policy/judge.ts";
import { formatIssue } from "../format-issue.ts";
import { loadMesh } from "../load-mesh.ts";
import { parseQuestion, type QuestionText } from "../parse-question.ts";

export interface ExplainOptions extends QuestionText {
  readonly file: readonly string[];
  readonly json?: boolean;
}

/** Exit codes: scripts rely on them. */
const ALLOWED = 0;
const CANNOT_TELL = 1;
const DENIED = 2;

/** @returns the exit code: 0 allowed, 2 denied, 1 when the question or the YAML is faulty */
export async function explainCommand(
  options: ExplainOptions,
  print: (line: string) => void,
): Promise<number> {
  const { snapshot, issues } = await loadMesh(options.file);
  if (issues.length > 0) {
    printIssues(issues, { options, print });
    return CANNOT_TELL;
  }
  try {
    const question = parseQuestion(snapshot, options);
    const judgement = judge(snapshot, question);
    if (options.json) print(JSON.stringify(asJson(question, judgement), null, 2));
    else for (const line of report(question, judgement)) print(line);
    return judgement.decision.verdict === "allow" ? ALLOWED : DENIED;
  } catch (error) {
    if (!(error instanceof QuestionError)) throw error;
    print(options.json ? JSON.stringify({ error: error.message }, null, 2) : error.message);
    return CANNOT_TELL;
  }
}

function printIssues(
  issues: readonly Issue[],
  { options, print }: { readonly options: ExplainOptions; readonly print: (line: string) => void },
): void {
  if (options.json) {
    print(JSON.stringify({ issues }, null, 2));
    return;
  }
  for (const issue of issues) print(formatIssue(issue));
}

function asJson(question: Question, judgement: Judgement): object {
  const { from, to, containerPort } = question;
  return {
    from: from === "outside" ? from : `${from.namespace}/${from.name}`,
    to: `${to.namespace}/${to.name}`,
    containerPort,
    ...judgement,
  };
}

function report(question: Question, judgement: Judgement): string[] {
  const { decision } = judgement;
  const verdict = decision.verdict === "allow" ? "ALLOWED" : "DENIED";
  const [because = "", ...details] = explain(decision).split("\n");
  return [
    [verdict, requestInWords(judgement)].filter((part) => part !== "").join("  "),
    "",
    row("caller", callerInWords(question)),
    row("callee", calleeInWords(question, judgement)),
    ...transportRows(judgement),
    row("because", because.replace(/^(Allowed|Denied): /, "")),
    ...details.map((line) => row("", line)),
    ...assumptions(question, judgement).map((line) => row("note", line)),
  ];
}

const LABEL_WIDTH = 11;

function row(label: string, text: string): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${text}`;
}

function requestInWords({ request }: Judgement): string {
  if (request === undefined) return "a connection";
  return `${request.method} ${request.path ?? ""}`;
}

function callerInWords({ from }: Question): string {
  if (from === "outside") return "outside the mesh, without a sidecar";
  return `${from.namespace}/${from.name}, ${from.injected ? "with a sidecar" : "without a sidecar"}`;
}

function calleeInWords({ to, containerPort }: Question, { protocol, via }: Judgement): string {
  const pod = `${to.namespace}/${to.name}, container port ${containerPort} (${protocol})`;
  if (via === undefined) return `${pod}, which no Service leads to`;
  return `${pod}, as port ${via.servicePort} of Service ${via.serviceNamespace}/${via.serviceName}`;
}

function transportRows({ transport, mutualTls }: Judgement): string[] {
  const mode =
    mutualTls === undefined
      ? []
      : [row("mode", `${mutualTls.mode}, set by ${originInWords(mutualTls.origin)}`)];
  if (transport.kind === "plaintext") {
    return [row("transport", "plaintext: the caller proves no identity"), ...mode];
  }
  return [
    row("transport", "mutual TLS"),
    row("", `the caller proves ${transport.caller}`),
    row("", `the callee proves ${transport.callee}`),
    ...mode,
  ];
}

function originInWords(origin: Origin): string {
  if (origin === "default") return "the mesh's default";
  return `${formatRef(origin.ref)} (${formatLocation(origin.source)})`;
}

/** What the answer rests on that the question did not say. */
function assumptions({ request: asked }: Question, judgement: Judgement): string[] {
  const { judgedAs, request, protocol, assumed } = judgement;
  const notes: string[] = [];
  if (asked !== undefined && judgedAs === "tcp") {
    notes.push("the port is carried as TCP: what a rule says about HTTP is not asked there");
  }
  if (protocol === "auto") {
    notes.push(`the port's protocol is not declared: judged as ${judgedAs.toUpperCase()}`);
  }
  if (assumed.authority !== undefined) {
    notes.push(
      `a rule asks for the host, taken to be ${assumed.authority}; see --header 'host: …'`,
    );
  }
  if (assumed.sourceAddress !== undefined) {
    notes.push(`a rule asks for the caller's address, taken to be ${assumed.sourceAddress}`);
  }
  if (asked !== undefined && request?.path !== undefined && request.path !== asked.path) {
    notes.push(`${asked.path} is judged, and forwarded, as ${request.path}`);
  }
  return notes;
}
