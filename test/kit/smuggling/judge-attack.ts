/**
 * The judge: compares what a strict reader takes the client's bytes for with what reached the application, and with the
 * answers. It knows no case: whatever was sent, the same is demanded.
 */
import type { AccessLogEntry } from "../../../src/telemetry/access-log.ts";
import type { AttackExchange, Lane } from "./attack-exchange.ts";
import { type ClientAnswer, readAnswers } from "./read-answers.ts";
import { type Arrival, UPSTREAM_PATHS } from "./recording-upstream.ts";
import {
  fieldFaults,
  hasOnlyFieldsOf,
  isForbidden,
  isPartOf,
  sameRequest,
} from "./request-facts.ts";
import { type Reading, readRequest, type StrictRequest } from "./strict-message.ts";

/**
 * "alike": what went on has the boundaries that a strict reader sees. "refused": nothing of it went on as a request.
 * "lenient": one request went on that no strict reader takes for one. "hidden": more than that, or past a policy.
 */
export type Outcome = "alike" | "refused" | "lenient" | "hidden";

export interface Judgement {
  readonly outcome: Outcome;
  /** What is wrong; empty if nothing is. */
  readonly faults: readonly string[];
}

type Exchanged = Pick<
  AttackExchange,
  "sent" | "received" | "arrivals" | "decisions" | "leftover" | "bystander"
>;

export function judgeAttack(
  exchange: Exchanged,
  lane: Pick<Lane, "policy" | "callerFields">,
): Judgement {
  const sent = readSent(exchange);
  const faults = [
    ...arrivalFaults(exchange.arrivals, { sent, lane }),
    ...answerFaults(exchange, sent),
    ...decisionFaults(exchange),
  ];
  if (exchange.leftover === "unfinished") {
    faults.push(hidden("an unfinished request is left to whoever comes next"));
  }
  if (exchange.bystander !== "own") {
    faults.push(hidden(`the next client got ${exchange.bystander} answer`));
  }
  const first = sent.requests[0] ?? sent.begun;
  const seen = exchange.arrivals.some((arrival) => {
    if (arrival.kind !== "whole") return arrival.kind === "tunnelled";
    return first !== undefined && sameRequest(arrival.request, first);
  });
  return { outcome: outcomeOf(faults, seen), faults: faults.map(({ text }) => text) };
}

interface Fault {
  readonly weight: "lenient" | "hidden";
  readonly text: string;
}

/** What the client's bytes are. */
interface Sent {
  readonly requests: readonly StrictRequest[];
  /** What is behind them: a request without its end, or what is none. */
  readonly rest: "nothing" | "incomplete" | "refused" | "tunnel";
  readonly begun: StrictRequest | undefined;
}

function outcomeOf(faults: readonly Fault[], seen: boolean): Outcome {
  if (faults.some(({ weight }) => weight === "hidden")) return "hidden";
  if (faults.length > 0) return "lenient";
  return seen ? "alike" : "refused";
}

/** What follows a request is a tunnel's only if it was answered so. */
function readSent({ sent, received }: Exchanged): Sent {
  const requests: StrictRequest[] = [];
  let at = 0;
  while (at < sent.length) {
    const reading = readRequest(sent, at);
    if (reading.kind === "refused" && reading.about === "lines") {
      const tolerated = readTolerantly(sent, at, reading);
      if (tolerated !== undefined)
        return { ...tolerated, requests: [...requests, ...tolerated.requests] };
    }
    if (reading.kind !== "request") return { requests, rest: reading.kind, begun: reading.request };
    requests.push(reading.request);
    at = reading.end;
    const answer = answersOf(received, requests)[requests.length - 1];
    if (opensTunnel(reading.request, answer)) return { requests, rest: "tunnel", begun: undefined };
  }
  return { requests, rest: "nothing", begun: undefined };
}

/**
 * What is malformed in its lines, but ends where a line begins from which on all is well, was meant to end there: taking
 * it is wrong, but hides nothing.
 */
function readTolerantly(
  sent: string,
  from: number,
  { problem, request }: Extract<Reading, { kind: "refused" }>,
): Sent | undefined {
  const [firstLine = ""] = sent
    .slice(from)
    .trimStart()
    .split(/[\r\n]/, 1);
  const [method = "", target = ""] = firstLine.split(" ");
  const malformed: StrictRequest = request ?? {
    method,
    target,
    version: "",
    fields: [],
    body: "",
    trailers: [],
    liberties: [],
    problem,
  };
  for (let feed = sent.indexOf("\n", from); feed >= 0; feed = sent.indexOf("\n", feed + 1)) {
    const rest = readAll(sent, feed + 1);
    if (rest === undefined) continue;
    return { requests: [{ ...malformed, problem }, ...rest], rest: "nothing", begun: undefined };
  }
  return undefined;
}

/** Requests to the very end, and nothing wrong with any. */
function readAll(text: string, from: number): readonly StrictRequest[] | undefined {
  const requests: StrictRequest[] = [];
  let at = from;
  while (at < text.length) {
    const reading = readRequest(text, at);
    if (reading.kind !== "request" || reading.request.problem !== undefined) return undefined;
    requests.push(reading.request);
    at = reading.end;
  }
  return requests.length === 0 ? undefined : requests;
}

function opensTunnel({ method }: StrictRequest, answer: ClientAnswer | undefined): boolean {
  if (answer === undefined) return false;
  return answer.status === 101 || (method === "CONNECT" && answer.status < 300);
}

function answersOf(received: string, requests: readonly StrictRequest[]): readonly ClientAnswer[] {
  return readAnswers(
    received,
    requests.map(({ method }) => method),
  ).answers;
}

function arrivalFaults(
  arrivals: readonly Arrival[],
  { sent, lane }: { readonly sent: Sent; readonly lane: Pick<Lane, "policy" | "callerFields"> },
): Fault[] {
  const left = [...sent.requests];
  return arrivals.flatMap((arrival) => {
    const [origin, faults] = judgeArrival(arrival, { sent, left });
    const request = "request" in arrival ? arrival.request : undefined;
    if (request === undefined) return faults;
    return [...faults, ...policyFaults(request, { origin, lane })];
  });
}

function policyFaults(
  request: StrictRequest,
  {
    origin,
    lane,
  }: {
    readonly origin: StrictRequest | undefined;
    readonly lane: Pick<Lane, "policy" | "callerFields">;
  },
): readonly Fault[] {
  const isPast = lane.policy === "forbids" && isForbidden(request);
  return [
    ...(isPast ? [hidden(`past the policy: ${nameOf(request)}`)] : []),
    ...fieldFaults(request, { sent: origin, lane }).map(hidden),
  ];
}

/** @param left what was sent and has not arrived yet: requests of one client may overtake each other on their way */
function judgeArrival(
  arrival: Arrival,
  { sent, left }: { readonly sent: Sent; readonly left: StrictRequest[] },
): readonly [origin: StrictRequest | undefined, faults: readonly Fault[]] {
  switch (arrival.kind) {
    case "malformed":
      return [undefined, [hidden(`the application got no request (${arrival.problem})`)]];
    case "tunnelled":
      return [undefined, sent.rest === "tunnel" ? [] : [hidden("bytes went on as a tunnel's")]];
    case "cut": {
      const begun = [...left, ...(sent.begun === undefined ? [] : [sent.begun])];
      const { request } = arrival;
      const origin = begun.find((one) => request !== undefined && isPartOf(request, one));
      return [origin, origin === undefined ? [hidden("a part of no request that was sent")] : []];
    }
    case "whole":
      return judgeWhole(arrival.request, { sent, left });
  }
}

function judgeWhole(
  request: StrictRequest,
  { sent, left }: { readonly sent: Sent; readonly left: StrictRequest[] },
): readonly [origin: StrictRequest | undefined, faults: readonly Fault[]] {
  const alike = left.filter((one) => sameRequest(request, one));
  const place = left.indexOf(
    alike.find((one) => hasOnlyFieldsOf(request, one)) ?? alike[0] ?? request,
  );
  const [origin] = place < 0 ? [] : left.splice(place, 1);
  if (origin?.problem !== undefined) {
    return [origin, [lenient(`taken in spite of ${origin.problem}: ${nameOf(request)}`)]];
  }
  if (origin !== undefined) return [origin, []];
  const repeated = sent.requests.find((one) => isRepeated(request, one));
  if (repeated !== undefined) return [repeated, []];
  if (sent.rest === "refused" && left.length === sent.requests.length && !isPlanted(request)) {
    return [sent.begun, [lenient(`taken for a request: ${nameOf(request)}`)]];
  }
  return [undefined, [hidden(`a request that nobody sent: ${nameOf(request)}`)]];
}

/** RFC 9110 section 9.2.2: a lost connection. */
function isRepeated(request: StrictRequest, before: StrictRequest): boolean {
  const isLost = before.method === "GET" && before.target === UPSTREAM_PATHS.drop;
  return isLost && sameRequest(request, before);
}

/** Named by no first line of a case. */
function isPlanted({ target }: StrictRequest): boolean {
  return /stowaway|hidden|swallows|marker/.test(target);
}

/** The n-th answer is that of the n-th request. */
function answerFaults({ received, arrivals }: Exchanged, sent: Sent): Fault[] {
  const faults: Fault[] = [];
  const answers = answersOf(received, sent.requests);
  const most = sent.requests.length + (sent.rest === "nothing" ? 0 : 1);
  if (answers.length > most) faults.push(hidden(`${answers.length} answers to ${most} requests`));
  for (const [index, { status, number }] of answers.entries()) {
    const request = sent.requests[index] ?? sent.begun;
    const isOwn = number === undefined ? status >= 400 || status === 101 : true;
    if (!isOwn && request?.method !== "CONNECT")
      faults.push(hidden(`an answer ${status} of nobody's`));
    const answered = arrivals.find((one) => one.kind === "whole" && one.number === number);
    if (answered?.kind !== "whole" || request === undefined) continue;
    if (!sameRequest(answered.request, request) && index < sent.requests.length) {
      faults.push(hidden(`answer ${index} is that to ${nameOf(answered.request)}`));
    }
  }
  return faults;
}

/** Nothing goes on that was not decided, in the form in which it was decided. */
function decisionFaults({ arrivals, decisions }: Exchanged): Fault[] {
  if (decisions === undefined) return [];
  const allowed = decisions.filter(
    ({ decision, upstream_host }) => decision?.verdict === "allow" && upstream_host !== null,
  );
  const left = [...allowed];
  const faults: Fault[] = [];
  for (const arrival of arrivals) {
    if (arrival.kind !== "whole") continue;
    const { method, target } = arrival.request;
    const index = left.findIndex((entry) => entry.method === method && isLogged(entry, target));
    // One decision covers what is sent again on another connection.
    if (index < 0) faults.push(hidden(`no decision about ${nameOf(arrival.request)}`));
    else if (target !== UPSTREAM_PATHS.drop) left.splice(index, 1);
  }
  return faults;
}

/** Of what is long, the beginning is logged only. */
function isLogged({ path }: AccessLogEntry, target: string): boolean {
  if (path === null) return false;
  return path.endsWith("…") ? target.startsWith(path.slice(0, -1)) : path === target;
}

function lenient(text: string): Fault {
  return { weight: "lenient", text };
}

function hidden(text: string): Fault {
  return { weight: "hidden", text };
}

function nameOf({ method, target }: StrictRequest): string {
  return JSON.stringify(`${method} ${target}`.slice(0, 120));
}
