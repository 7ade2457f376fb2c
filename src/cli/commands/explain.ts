/** `hauberk explain`: whether one request would be let through, and which rule decides. Needs no running mesh. */
import { formatLocation, formatRef } from "../../api/resource.ts";
import type { Concern } from "../../policy/concerning-notices.ts";
import type { Decision, Origin } from "../../policy/decision.ts";
import { explain } from "../../policy/explain.ts";
import { type Judgement, judge, type Transport } from "../../policy/judge.ts";
import type { MeshSnapshot } from "../../policy/mesh-snapshot.ts";
import {
  type AskedRequest,
  type Caller,
  callingWorkload,
  type Question,
  QuestionError,
} from "../../policy/question.ts";
import { headerAttribute } from "../../policy/traffic-attribute.ts";
import { trialOutcome } from "../../policy/trial-outcome.ts";
import { printable } from "../../runtime/printable.ts";
import { findWorkload } from "../find-workload.ts";
import { formatIssue } from "../format-issue.ts";
import { formatNotices, type NoticeOptions } from "../format-notices.ts";
import { jsonText } from "../json-text.ts";
import { type LoadedMesh, loadMesh } from "../load-mesh.ts";
import { parseQuestion, type QuestionText } from "../parse-question.ts";
import type { Printers } from "../print-line.ts";
import { withClaims } from "../with-claims.ts";

export interface ExplainOptions extends Omit<QuestionText, "claims">, NoticeOptions {
  readonly file: readonly string[];
  /** Names a file of JSON: the payload of a token that the callee's sidecar has verified. */
  readonly claims?: string;
  readonly json?: boolean;
}

/** Exit codes: scripts rely on them. */
const ALLOWED = 0;
const CANNOT_TELL = 1;
const DENIED = 2;

const VERDICTS = { allow: "ALLOWED", deny: "DENIED", delegate: "DELEGATED" } as const;

/** @returns the exit code: 0 allowed, 2 denied, 1 when the question or the YAML is faulty */
export async function explainCommand(
  options: ExplainOptions,
  { print, warn }: Printers,
): Promise<number> {
  const mesh = await loadMesh(options.file);
  const { code, lines, data, concern } = await answer(mesh, options);
  if (options.json) {
    print(jsonText({ ...data, notices: mesh.notices }));
    return code;
  }
  const tell = code === CANNOT_TELL ? warn : print;
  const notes = formatNotices(mesh, { concern, allNotes: options.allNotes });
  for (const line of [...lines, ...notes]) tell(printable(line));
  return code;
}

/** The same, for people and for programs. */
interface Answer {
  readonly code: number;
  readonly lines: readonly string[];
  readonly data: object;
  readonly concern: Concern;
}

async function answer(mesh: LoadedMesh, options: ExplainOptions): Promise<Answer> {
  const { snapshot, issues } = mesh;
  const unanswered = { code: CANNOT_TELL, concern: supposedConcern(snapshot, options) };
  if (issues.length > 0) {
    return { ...unanswered, lines: issues.map(formatIssue), data: { issues } };
  }
  try {
    const question = parseQuestion(snapshot, await withClaims(options));
    const judgement = judge(snapshot, question);
    return {
      code: judgement.decision.verdict === "allow" ? ALLOWED : DENIED,
      lines: report(question, judgement),
      data: asData(question, judgement),
      concern: concernOf(question, judgement),
    };
  } catch (error) {
    if (!(error instanceof QuestionError)) throw error;
    const { message } = error;
    return { ...unanswered, lines: [`hauberk: ${message}`], data: { error: message } };
  }
}

/** What a question is about that cannot be answered, as far as its names say. */
function supposedConcern(
  snapshot: MeshSnapshot,
  { from, to }: Pick<ExplainOptions, "from" | "to">,
): Concern {
  return {
    callee: findWorkload(snapshot, to.replace(/:[^:/]*$/, "")),
    caller: findWorkload(snapshot, from),
    namespaces: [to, from].map((name) => name.split("/")[0] ?? ""),
  };
}

function concernOf({ from, to }: Question, { via }: Judgement): Concern {
  const caller = callingWorkload(from);
  const namespaces = [to.namespace, ...(caller === undefined ? [] : [caller.namespace])];
  return { callee: to, caller, via, namespaces };
}

function asData({ from, to, containerPort, request }: Question, judgement: Judgement): object {
  return {
    from: nameOfCaller(from),
    to: `${to.namespace}/${to.name}`,
    containerPort,
    ...(request && { asked: shownRequest(request) }),
    ...judgement,
  };
}

/** What is secret is not repeated: answers end up in logs. */
function shownRequest(request: AskedRequest): object {
  const { method, path } = request;
  return { method, path, headers: Object.fromEntries(shownHeaders(request)) };
}

function nameOfCaller(from: Caller): string {
  if (from === "outside") return from;
  return "identity" in from ? from.identity : `${from.namespace}/${from.name}`;
}

function shownHeaders({ headers }: AskedRequest): [name: string, value: string][] {
  return [...headers].map(([name, value]) => [
    name,
    headerAttribute(name).shown === "secret" ? "(not shown)" : value,
  ]);
}

function report(question: Question, judgement: Judgement): string[] {
  const { decision } = judgement;
  const verdict = VERDICTS[decision.verdict];
  const [because = "", ...details] = explain(decision).split("\n");
  return [
    [verdict, requestInWords(judgement)].filter((part) => part !== "").join("  "),
    "",
    row("caller", callerInWords(question)),
    row("callee", calleeInWords(question, judgement)),
    ...headerRows(question),
    ...transportRows(judgement),
    row("because", because.replace(/^(Allowed|Denied|Delegated): /, "")),
    ...details.map((line) => row("", line)),
    ...(trialOutcome(decision) === "same" ? [row("on trial", "the same")] : []),
    ...remarks(question, judgement).map((line) => row("note", line)),
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
  if ("identity" in from) return `${from.identity}, by its certificate`;
  return `${nameOfCaller(from)}, ${from.injected ? "with a sidecar" : "without a sidecar"}`;
}

function calleeInWords({ to, containerPort }: Question, { protocol, via }: Judgement): string {
  const pod = `${to.namespace}/${to.name}, container port ${containerPort} (${protocol})`;
  if (via === undefined) return `${pod}, which no Service leads to`;
  return `${pod}, as port ${via.servicePort} of Service ${via.serviceNamespace}/${via.serviceName}`;
}

function headerRows({ request }: Question): string[] {
  const headers = request === undefined ? [] : shownHeaders(request);
  return headers.map(([name, value], index) =>
    row(index === 0 ? "headers" : "", `${name}: ${value}`),
  );
}

function transportRows({ decision, transport, clientTls, mutualTls }: Judgement): string[] {
  const modes = [
    ...(clientTls ? [row("client TLS", modeInWords(clientTls))] : []),
    ...(mutualTls ? [row("mode", modeInWords(mutualTls))] : []),
  ];
  if (transport.kind === "plaintext") {
    return [row("transport", "plaintext: the caller proves no identity"), ...modes];
  }
  return [
    row("transport", "mutual TLS"),
    ...identitiesInWords(transport, decision).map((line) => row("", line)),
    ...modes,
  ];
}

function modeInWords({ mode, origin }: { readonly mode: string; readonly origin: Origin }): string {
  return `${mode}, set by ${originInWords(origin)}`;
}

type MutualTls = Extract<Transport, { kind: "mutual-tls" }>;

/** Where the handshake fails, nobody has proved anything. */
function identitiesInWords(
  { caller, callee, accepted }: MutualTls,
  { reason: { because } }: Decision,
): string[] {
  switch (because) {
    case "callee-not-verified":
      return [`the caller would prove ${caller}`, `the callee must prove ${oneOf(accepted)}`];
    case "peer-not-verified":
    case "tls-refused":
    case "network-policy":
      return [`the caller would prove ${caller}`, `the callee would prove ${callee}`];
    default:
      return [`the caller proves ${caller}`, `the callee proves ${callee}`];
  }
}

function oneOf(accepted: MutualTls["accepted"]): string {
  if (accepted === "any") return "an identity of the mesh";
  if (accepted.length === 0) return "a name that no certificate of the mesh has";
  return accepted.join(" or ");
}

function originInWords(origin: Origin): string {
  if (origin === "default") return "the mesh's default";
  return `${formatRef(origin.ref)} (${formatLocation(origin.source)})`;
}

function remarks(question: Question, judgement: Judgement): string[] {
  const { verdict, dryRun } = judgement.decision;
  const isDelegated = [verdict, dryRun?.verdict].includes("delegate");
  return [...(isDelegated ? [REFUSED_TODAY] : []), ...assumptions(question, judgement)];
}

const REFUSED_TODAY =
  "a mesh that runs refuses today what is delegated: no sidecar here asks external authorizers yet";

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
