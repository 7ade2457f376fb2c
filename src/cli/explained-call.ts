/** The answer to one question, for people and for programs: what decides, on which way, and what it rests on. */
import { authorizerInWords } from "../policy/authorizer-sentences.ts";
import type { Concern } from "../policy/concerning-notices.ts";
import { explain } from "../policy/explain.ts";
import { headerAttribute } from "../policy/header-attribute.ts";
import type { Judgement } from "../policy/judge.ts";
import {
  type AskedRequest,
  type Caller,
  callingWorkload,
  type Question,
} from "../policy/question.ts";
import { concerningLimitInWords } from "../policy/rate-limits/limit-sentences.ts";
import { trialOutcome } from "../policy/trial-outcome.ts";
import { remarksOn } from "./answer-remarks.ts";
import { answerInWords, type ClientAnswer, clientAnswer, limitedAnswer } from "./client-answer.ts";
import { type EndedCertificate, endedCertificate } from "./ended-certificates.ts";
import { type LimitsLeft, leftInWords, limitsLeft } from "./limits-left.ts";
import type { LoadedMesh } from "./load-mesh.ts";
import { missingSidecars } from "./missing-sidecar.ts";
import type { RouteWords } from "./route-in-words.ts";
import {
  type JudgedWithTokens,
  judgeWithTokens,
  type TokenOptions,
} from "./tokens/judge-with-tokens.ts";
import { type LabelledRow, transportRows } from "./transport-in-words.ts";

/** Exit codes: scripts rely on them. */
export const ALLOWED = 0;
export const CANNOT_TELL = 1;
export const DENIED = 2;

export interface Answer {
  readonly code: number;
  readonly lines: readonly string[];
  readonly data: object;
  readonly concern: Concern;
}

export interface CallOptions extends TokenOptions {
  /** Absent: the mesh that runs is asked. */
  readonly file?: readonly string[];
}

export interface JudgedCall extends JudgedWithTokens {
  readonly asked: Question;
  readonly left: LimitsLeft;
  /** As it was given. */
  readonly token: string | undefined;
  /** What to do about it, a sentence each. */
  readonly advice: readonly string[];
}

const VERDICTS = { allow: "ALLOWED", deny: "DENIED", delegate: "DELEGATED" } as const;

/** @throws QuestionError */
export async function judgeCall(
  mesh: LoadedMesh,
  asked: Question,
  options: CallOptions,
): Promise<JudgedCall> {
  const judged = await judgeWithTokens(mesh.snapshot, asked, options);
  const ended = await endedNow(judged, asked, options);
  const told = { ...judged, ...(ended && { judgement: ended.judgement }) };
  const { judgement } = told;
  const advice = [
    ...(ended === undefined ? [] : [ended.advice]),
    ...missingSidecars(mesh, asked, judgement),
  ];
  const left = await limitsLeft(judgement.limits ?? [], { to: asked.to, data: options.data });
  return { ...told, asked, left, token: options.token, advice };
}

/** @param route what users' routes have to do with it; absent: nothing */
export function tellCall(call: JudgedCall, route?: RouteWords): Answer {
  const { asked, judgement, left, advice, cannotTell } = call;
  const code = judgement.decision.verdict === "allow" ? ALLOWED : DENIED;
  return {
    code: cannotTell === undefined ? code : CANNOT_TELL,
    lines: call.conceal(report(call, route)),
    data: call.concealData({
      ...asData(asked, judgement, left),
      ...(cannotTell === undefined && { answer: answerSeen(asked, judgement, left) }),
      ...(advice.length > 0 && { advice }),
      ...(route && { route: route.data }),
      ...call.data,
    }),
    concern: concernOf(asked, judgement),
  };
}

/** What is told of a call that reaches nobody whom this mesh knows: by its first word, and why. */
export function tellUnasked(
  { from, request }: Pick<Question, "from" | "request">,
  {
    route,
    because,
    ...told
  }: {
    readonly code: number;
    /** `ANSWERED` */
    readonly verdict: string;
    /** As the client sees it. */
    readonly answer?: string | undefined;
    readonly because: string;
    readonly route: RouteWords;
    readonly concern: Concern;
  },
): Answer {
  const asked = request === undefined ? "a connection" : `${request.method} ${request.path}`;
  const lines = [
    [told.verdict, asked, told.answer].filter(Boolean).join("  "),
    "",
    row("caller", callerInWords(from)),
    ...(request === undefined ? [] : headerRows(request)),
    ...labelledRows(route.rows),
    row("because", because),
    ...route.notes.map((line) => row("note", line)),
  ];
  const data = {
    from: nameOfCaller(from),
    ...(request && { asked: shownRequest(request) }),
    route: route.data,
    because,
  };
  return { code: told.code, lines, data, concern: told.concern };
}

/** Files hold no certificates: the mesh that runs does. */
async function endedNow(
  { judgement, cannotTell }: JudgedWithTokens,
  asked: Question,
  { file, data }: CallOptions,
): Promise<EndedCertificate | undefined> {
  if (file !== undefined || cannotTell !== undefined) return undefined;
  return endedCertificate(judgement, asked, { data, now: new Date() });
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

function report(call: JudgedCall, route?: RouteWords): string[] {
  const { asked, judgement, rows, cannotTell, left } = call;
  const { decision } = judgement;
  const [because = "", ...details] =
    cannotTell === undefined ? explain(decision).split("\n") : [cannotTell];
  return [
    firstLine(call),
    "",
    row("caller", callerInWords(asked.from)),
    row("callee", calleeInWords(asked, judgement)),
    ...(asked.request === undefined ? [] : headerRows(asked.request)),
    ...labelledRows(route?.rows ?? []),
    ...labelledRows(transportRows(judgement)),
    ...rowsOf("token", rows),
    row("because", because.replace(/^(Allowed|Denied|Delegated): /, "")),
    ...details.map((line) => row("", line)),
    ...(trialOutcome(decision) === "same" ? [row("on trial", "the same")] : []),
    ...rowsOf("asks", (judgement.authorizers ?? []).map(authorizerInWords)),
    ...rowsOf("limits", limitsInWords(judgement, left)),
    ...[...call.advice, ...remarksOn(asked, call), ...(route?.notes ?? [])].map((line) =>
      row("note", line),
    ),
  ];
}

/** `DENIED  POST /cart  401 Jwt is expired`: the answer as the client sees it, where there is one. */
function firstLine({ asked: question, judgement, cannotTell, left }: JudgedCall): string {
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

function callerInWords(from: Caller): string {
  if (from === "outside") return "outside the mesh, without a sidecar";
  if ("identity" in from) return `${from.identity}, by its certificate`;
  return `${nameOfCaller(from)}, ${from.injected ? "with a sidecar" : "without a sidecar"}`;
}

function calleeInWords({ to, containerPort }: Question, { protocol, via }: Judgement): string {
  const pod = `${to.namespace}/${to.name}, container port ${containerPort} (${protocol})`;
  if (via === undefined) return `${pod}, which no Service leads to`;
  return `${pod}, as port ${via.servicePort} of Service ${via.serviceNamespace}/${via.serviceName}`;
}

function headerRows(request: AskedRequest): string[] {
  return rowsOf(
    "headers",
    shownHeaders(request).map(([name, value]) => `${name}: ${value}`),
  );
}

function labelledRows(rows: readonly LabelledRow[]): string[] {
  return rows.map(([label, text]) => row(label, text));
}

function limitsInWords({ limits = [] }: Judgement, left: LimitsLeft): readonly string[] {
  return limits.map(
    (limit, index) => `${concerningLimitInWords(limit)}${leftInWords(left[index])}`,
  );
}
