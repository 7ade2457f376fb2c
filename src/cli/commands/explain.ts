/** `hauberk explain`: whether one request would be let through, and which rule decides. Needs no running mesh. */
import type { Concern } from "../../policy/concerning-notices.ts";
import { type LedRequest, type LedTo, ledRequest } from "../../policy/led-request.ts";
import type { MeshSnapshot } from "../../policy/mesh-snapshot.ts";
import { callingWorkload, type Question, QuestionError } from "../../policy/question.ts";
import { printable } from "../../runtime/printable.ts";
import {
  ALLOWED,
  type Answer,
  CANNOT_TELL,
  type CallOptions,
  DENIED,
  judgeCall,
  tellCall,
  tellUnasked,
} from "../explained-call.ts";
import { findWorkload } from "../find-workload.ts";
import { routeOfCaller, routeOfGateway, saysHost } from "../follow-route.ts";
import { formatIssue } from "../format-issue.ts";
import { formatNotices, type NoticeOptions } from "../format-notices.ts";
import { jsonText } from "../json-text.ts";
import { type LoadedMesh, loadAskedMesh } from "../load-mesh.ts";
import { parseQuestion, type QuestionText } from "../parse-question.ts";
import type { Printers } from "../print-line.ts";
import { answeredInWords, routeInWords, targetOf, unfollowedRoute } from "../route-in-words.ts";
import { withClaims } from "../with-claims.ts";

export interface ExplainOptions extends Omit<QuestionText, "claims">, CallOptions, NoticeOptions {
  readonly json?: boolean;
}

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

async function answer(mesh: LoadedMesh, options: ExplainOptions): Promise<Answer> {
  const { snapshot, issues } = mesh;
  const unanswered = { code: CANNOT_TELL, concern: supposedConcern(snapshot, options) };
  if (issues.length > 0) {
    return { ...unanswered, lines: issues.map(formatIssue), data: { issues } };
  }
  try {
    const asked = parseQuestion(snapshot, await withClaims(options));
    const led = routeOfCaller(snapshot, asked);
    return led === undefined
      ? await answerAsAsked(mesh, asked, options)
      : together(await answersAlong(mesh, led, { asked, options }));
  } catch (error) {
    if (!(error instanceof QuestionError)) throw error;
    const { message } = error;
    return { ...unanswered, lines: [`hauberk: ${message}`], data: { error: message } };
  }
}

/** Of a gateway, and of where it sends what it lets in. */
async function answerAsAsked(
  mesh: LoadedMesh,
  asked: Question,
  options: ExplainOptions,
): Promise<Answer> {
  const { snapshot } = mesh;
  const call = await judgeCall(mesh, asked, options);
  if (call.cannotTell !== undefined) return tellCall(call);
  const { judgement } = call;
  if (saysHost(asked)) {
    const led = routeOfGateway(snapshot, call);
    if (led === undefined) return tellCall(call);
    const { token, claims, jwks, ...others } = options;
    const further = await answersAlong(mesh, led, { asked: call.question, options: others });
    const concealed = further.map((one) => ({
      ...one,
      lines: call.conceal(one.lines),
      data: call.concealData(one.data),
    }));
    return together([tellCall(call), ...concealed]);
  }
  const isShut = judgement.server !== undefined && judgement.decision.verdict === "deny";
  const led = isShut ? undefined : ledRequest(snapshot, call);
  const authority = judgement.request?.authority;
  return tellCall(call, led && unfollowedRoute(led, { asked, authority }));
}

/** One answer for each whom the route reaches, or that of whoever answers in their place. */
async function answersAlong(
  mesh: LoadedMesh,
  led: LedRequest,
  { asked, options }: { readonly asked: Question; readonly options: CallOptions },
): Promise<readonly Answer[]> {
  const { outcome } = led;
  const concern = concernOfCaller(asked);
  if (outcome.is === "answered") {
    const route = routeInWords(led);
    const because = `${proxyOf(led)} answers by its routes: nobody behind it is called, and no policy there is asked.`;
    const answer = answeredInWords(outcome);
    return [
      tellUnasked(asked, { code: DENIED, verdict: "ANSWERED", answer, because, route, concern }),
    ];
  }
  const answers: Answer[] = [];
  for (const leg of outcome.to) {
    const route = routeInWords(led, leg);
    if (leg.unasked !== undefined)
      answers.push(tellUnasked(asked, { ...unaskedOf(leg, leg.unasked), route, concern }));
    for (const question of leg.questions)
      answers.push(tellCall(await judgeCall(mesh, question, options), route));
  }
  return answers;
}

function proxyOf({ by }: LedRequest): string {
  return by === "gateway" ? "the gateway" : "the caller's sidecar";
}

function unaskedOf(
  leg: LedTo,
  { why, status }: NonNullable<LedTo["unasked"]>,
): Pick<Parameters<typeof tellUnasked>[1], "code" | "verdict" | "answer" | "because"> {
  const because = `${targetOf(leg)}: ${why}.`;
  return status === undefined
    ? { code: CANNOT_TELL, verdict: "CANNOT TELL", because }
    : { code: DENIED, verdict: "ANSWERED", answer: String(status), because };
}

/** What cannot be told counts before what is denied, and that before what is allowed. */
function together(answers: readonly Answer[]): Answer {
  const [first, ...others] = answers;
  if (first === undefined) throw new QuestionError("the route leads nowhere");
  const codes = answers.map(({ code }) => code);
  return {
    ...first,
    code: [CANNOT_TELL, DENIED].find((code) => codes.includes(code)) ?? ALLOWED,
    lines: answers.flatMap(({ lines }, index) => (index === 0 ? lines : ["", ...lines])),
    data: { ...first.data, ...(others.length > 0 && { also: others.map(({ data }) => data) }) },
  };
}

function concernOfCaller({ from, to }: Question): Concern {
  const caller = callingWorkload(from);
  const namespaces = [to.namespace, ...(caller === undefined ? [] : [caller.namespace])];
  return { caller, namespaces };
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
