/** `hauberk explain`: whether one request would be let through, and which rule decides. Needs no running mesh. */
import { authorizerInWords } from "../../policy/authorizer-sentences.ts";
import type { Concern } from "../../policy/concerning-notices.ts";
import { explain } from "../../policy/explain.ts";
import { headerAttribute } from "../../policy/header-attribute.ts";
import type { Judgement } from "../../policy/judge.ts";
import type { MeshSnapshot } from "../../policy/mesh-snapshot.ts";
import {
  type AskedRequest,
  type Caller,
  callingWorkload,
  type Question,
  QuestionError,
} from "../../policy/question.ts";
import { concerningLimitInWords } from "../../policy/rate-limits/limit-sentences.ts";
import { trialOutcome } from "../../policy/trial-outcome.ts";
import { printable } from "../../runtime/printable.ts";
import { remarksOn } from "../answer-remarks.ts";
import { answerInWords, type ClientAnswer, clientAnswer, limitedAnswer } from "../client-answer.ts";
import { type EndedCertificate, endedCertificate } from "../ended-certificates.ts";
import { findWorkload } from "../find-workload.ts";
import { formatIssue } from "../format-issue.ts";
import { formatNotices, type NoticeOptions } from "../format-notices.ts";
import { jsonText } from "../json-text.ts";
import { type LimitsLeft, leftInWords, limitsLeft } from "../limits-left.ts";
import { type LoadedMesh, loadAskedMesh } from "../load-mesh.ts";
import { missingSidecars } from "../missing-sidecar.ts";
import { parseQuestion, type QuestionText } from "../parse-question.ts";
import type { Printers } from "../print-line.ts";
import {
  type JudgedWithTokens,
  judgeWithTokens,
  type TokenOptions,
} from "../tokens/judge-with-tokens.ts";
import { transportRows } from "../transport-in-words.ts";
import { withClaims } from "../with-claims.ts";

export interface ExplainOptions extends Omit<QuestionText, "claims">, TokenOptions, NoticeOptions {
  /** Absent: the mesh that runs is asked. */
  readonly file?: readonly string[];
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
  const mesh = await loadAskedMesh(options);
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
    const asked = parseQuestion(snapshot, await withClaims(options));
    const judged = await judgeWithTokens(snapshot, asked, options);
    const ended = await endedNow(judged, asked, options);
    const told = { ...judged, ...(ended && { judgement: ended.judgement }) };
    const { judgement } = told;
    const advice = [
      ...(ended === undefined ? [] : [ended.advice]),
      ...missingSidecars(mesh, asked, judgement),
    ];
    const left = await limitsLeft(judgement.limits ?? [], { to: asked.to, data: options.data });
    const code = judgement.decision.verdict === "allow" ? ALLOWED : DENIED;
    return {
      code: told.cannotTell === undefined ? code : CANNOT_TELL,
      lines: told.conceal(report(asked, { ...told, left, token: options.token, advice })),
      data: told.concealData({
        ...asData(asked, judgement, left),
        ...(told.cannotTell === undefined && { answer: answerSeen(asked, judgement, left) }),
        ...(advice.length > 0 && { advice }),
        ...told.data,
      }),
      concern: concernOf(asked, judgement),
    };
  } catch (error) {
    if (!(error instanceof QuestionError)) throw error;
    const { message } = error;
    return { ...unanswered, lines: [`hauberk: ${message}`], data: { error: message } };
  }
}

/** Files hold no certificates: the mesh that runs does. */
async function endedNow(
  { judgement, cannotTell }: JudgedWithTokens,
  asked: Question,
  { file, data }: ExplainOptions,
): Promise<EndedCertificate | undefined> {
  if (file !== undefined || cannotTell !== undefined) return undefined;
  return endedCertificate(judgement, asked, { data, now: new Date() });
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

function asData(
  { from, to, containerPort, request }: Question,
  judgement: Judgement,
  left: LimitsLeft,
): object {
  const { limits } = judgement;
  return {
    from: nameOfCaller(from),
    to: `${to.namespace}/${to.name}`,
    containerPort,
    ...(request && { asked: shownRequest(request) }),
    ...judgement,
    ...(limits && {
      limits: limits.map(({ limit, key }, index) => ({ limit, key, ...left[index] })),
    }),
  };
}

/** Undefined where the client sees the callee's own answer, or none. */
function answerSeen(
  { request }: Question,
  judgement: Judgement,
  left: LimitsLeft,
): ClientAnswer | undefined {
  return clientAnswer(judgement, request) ?? limitedAnswer(judgement, left, request);
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

interface Told {
  readonly judgement: Judgement;
  readonly rows: readonly string[];
  readonly cannotTell: string | undefined;
  readonly left: LimitsLeft;
  /** As it was given. */
  readonly token: string | undefined;
  /** What to do about it, a sentence each. */
  readonly advice: readonly string[];
}

function report(question: Question, told: Told): string[] {
  const { judgement, rows, cannotTell, left } = told;
  const { decision } = judgement;
  const [because = "", ...details] =
    cannotTell === undefined ? explain(decision).split("\n") : [cannotTell];
  return [
    firstLine(question, told),
    "",
    row("caller", callerInWords(question)),
    row("callee", calleeInWords(question, judgement)),
    ...headerRows(question),
    ...transportRows(judgement).map(([label, text]) => row(label, text)),
    ...rowsOf("token", rows),
    row("because", because.replace(/^(Allowed|Denied|Delegated): /, "")),
    ...details.map((line) => row("", line)),
    ...(trialOutcome(decision) === "same" ? [row("on trial", "the same")] : []),
    ...rowsOf("asks", (judgement.authorizers ?? []).map(authorizerInWords)),
    ...rowsOf("limits", limitsInWords(judgement, left)),
    ...[...told.advice, ...remarksOn(question, told)].map((line) => row("note", line)),
  ];
}

/** `DENIED  POST /cart  401 Jwt is expired`: the answer as the client sees it, where there is one. */
function firstLine(question: Question, { judgement, cannotTell, left }: Told): string {
  const asked = requestInWords(judgement);
  if (cannotTell !== undefined) return `CANNOT TELL  ${asked}`;
  const { verdict } = judgement.decision;
  const answer = answerSeen(question, judgement, left);
  const words = answer && `${verdict === "allow" ? "but now " : ""}${answerInWords(answer)}`;
  return [VERDICTS[verdict], asked, words].filter(Boolean).join("  ");
}

const LABEL_WIDTH = 11;

function row(label: string, text: string): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${text}`;
}

/** Named once. */
function rowsOf(label: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => row(index === 0 ? label : "", line));
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
  return rowsOf(
    "headers",
    headers.map(([name, value]) => `${name}: ${value}`),
  );
}

function limitsInWords({ limits = [] }: Judgement, left: LimitsLeft): readonly string[] {
  return limits.map(
    (limit, index) => `${concerningLimitInWords(limit)}${leftInWords(left[index])}`,
  );
}
