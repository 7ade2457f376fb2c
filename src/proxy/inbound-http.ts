/** The inbound side's HTTP service: judges each request by the newest policy and sends it to the application. */
import { isDeepStrictEqual } from "node:util";
import { statedAddress } from "../api/plain-address.ts";
import type { Connection, TokenPayload } from "../policy/traffic.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { SpanSide } from "../telemetry/tracing/span-side.ts";
import type { FindApplication } from "./application-dial.ts";
import { applicationProtocol } from "./application-protocol.ts";
import type { CompiledView } from "./compiled-view.ts";
import { denied } from "./denied-answer.ts";
import { OpenedExchange, type Route, type StepResult } from "./exchange.ts";
import { afterTrial } from "./external-authorization/after-trial.ts";
import type { Consulted } from "./external-authorization/consultation.ts";
import { formatAddress } from "./format-address.ts";
import type { ReceivedRequest } from "./http/received-message.ts";
import type { ConnectionPools } from "./http/upstream-connections-pools.ts";
import type { HttpService, RequestVerdict } from "./http-service.ts";
import type { InboundCall } from "./inbound-call.ts";
import { INBOUND_STEPS, type InboundExchange, refusalUnder } from "./inbound-steps.ts";
import { type InboundTerms, KnownTerms } from "./inbound-terms.ts";
import { type HttpFraming, requestProtocol } from "./mesh-protocols.ts";
import type { CallFacts, Recorder } from "./recorder.ts";
import { SingleTarget } from "./single-target.ts";
import { isWaiting, runWaitingSteps, settled, type WaitingStep } from "./waiting-steps.ts";

export interface InboundHttpOptions {
  readonly compiled: Watched<CompiledView>;
  readonly pools: ConnectionPools;
  readonly application: FindApplication;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly clock: Clock;
}

/** What a gateway does otherwise than a sidecar does for its application. */
export interface InboundRole<
  C extends InboundCall,
  E extends InboundExchange,
  T extends InboundTerms = InboundTerms,
> {
  readonly reporter: CallFacts["reporter"];
  readonly steps: readonly WaitingStep<E>[];
  readonly terms: { of(call: C, compiled: CompiledView, now: Date): T };
  open(request: ReceivedRequest, arrival: Arrival<C, T>): E;
  /** Of a request that all steps let in. */
  routeOf(exchange: E): RequestVerdict;
  /** Known of the call once it was judged. */
  factsOf(exchange: E): CallFacts;
}

export function inboundHttpService(
  options: InboundHttpOptions,
): HttpService<InboundCall, InboundExchange> {
  return judgedHttpService(options, {
    reporter: "destination",
    steps: INBOUND_STEPS,
    terms: new KnownTerms(),
    open: (request, arrival) => new ArrivedExchange(request, arrival),
    routeOf: (exchange) => ({ route: applicationRoute(exchange, options) }),
    factsOf: ({ call }) => call.facts,
  });
}

export function judgedHttpService<
  C extends InboundCall,
  E extends InboundExchange & { readonly call: C },
  T extends InboundTerms = InboundTerms,
>(
  options: Pick<InboundHttpOptions, "compiled" | "recorder" | "clock" | "log">,
  role: InboundRole<C, E, T>,
): HttpService<C, E> {
  const { compiled, recorder, clock, log } = options;
  const { terms: known, reporter } = role;
  /** A policy that came while a request waited counts for it, too. */
  const today = (result: StepResult, exchange: E): StepResult => {
    const terms = known.of(exchange.call, compiled.current, clock.now());
    if (result !== "continue" || terms === exchange.terms) return result;
    const [before, now] = [exchange.terms, terms].map(({ rules }) => rules.authentication?.rules);
    if (!isDeepStrictEqual(before, now)) return OTHER_TOKENS;
    const details = refusalUnder(terms, exchange);
    return details === undefined ? "continue" : denied(details);
  };
  return {
    judge(request, call) {
      const startedAt = clock.now();
      const terms = known.of(call, compiled.current, startedAt);
      const spanSide = recorder.spanSide(reporter);
      const exchange = role.open(request, { call, terms, startedAt, spanSide });
      const result = runWaitingSteps(role.steps, exchange);
      return {
        exchange,
        verdict: isWaiting(result)
          ? {
              later: settled(result).then((found) =>
                verdictOf(today(found, exchange), exchange, role),
              ),
            }
          : verdictOf(result, exchange, role),
        afterwards: mayStay(exchange) ? terms.standing : "close",
      };
    },
    judgeAgain(exchange) {
      const { call } = exchange;
      const details = refusalUnder(known.of(call, compiled.current, clock.now()), exchange);
      if (details === undefined) return undefined;
      const what = exchange.upgrade === "websocket" ? "WebSocket" : "HTTP request";
      log.info(`${what} ended by a change of policy`, {
        from: formatAddress(call.facts.remote),
        port: call.port().containerPort,
        principal: call.peer?.id,
        because: exchange.decision?.reason.because,
      });
      return details;
    },
    record(exchange, outcome) {
      const facts = role.factsOf(exchange);
      if (exchange.trial === undefined) return recorder.request(facts, exchange, outcome);
      return afterTrial(exchange.trial, { ...outcome, endedAt: clock.now() }, (kept) =>
        recorder.request(facts, exchange, kept),
      );
    },
    recordBroken: (problem, { facts }) => recorder.brokenRequest(facts, problem),
    answerFields: () => recorder.answerFields(reporter),
  };
}

/** Whoever comes again is judged by the newest. */
const OTHER_TOKENS: StepResult = {
  status: 503,
  body: "what tokens are demanded has changed meanwhile; try again\n",
  flags: "-",
  details: "token_rules_changed",
};

export interface Arrival<C = InboundCall, T = InboundTerms> {
  readonly call: C;
  readonly terms: T;
  readonly startedAt: Date;
  readonly spanSide: SpanSide | undefined;
}

/** Itself what is judged: a request is read by policies as it is, and not described to them anew. */
class ArrivedExchange extends OpenedExchange implements InboundExchange {
  readonly call: InboundCall;
  readonly terms: InboundTerms;
  readonly connection: Connection;
  token: TokenPayload | undefined = undefined;
  consulted: Consulted | undefined = undefined;
  trial: Promise<void> | undefined = undefined;
  #remoteAddress: string | undefined = undefined;

  constructor(request: ReceivedRequest, { call, terms, startedAt, spanSide }: Arrival) {
    const protocol = requestProtocol(request.protocol, call.negotiated);
    super(request, { startedAt, protocol, spanSide });
    this.call = call;
    this.terms = terms;
    this.connection = call.connection;
  }

  get remoteAddress(): string {
    this.#remoteAddress ??= remoteAddress(this.headers.get("x-forwarded-for"), this.connection);
    return this.#remoteAddress;
  }

  header(name: string): string | undefined {
    return name === "host" ? this.authority : this.headers.asked(name);
  }

  passedHeader(name: string): string | undefined {
    return name === "host" ? this.authority : this.headers.askedOfPassed(name);
  }
}

/** AP-51a: the rightmost address of X-Forwarded-For, when it is one. */
function remoteAddress(forwardedFor: string | undefined, { sourceAddress }: Connection): string {
  const rightmost = forwardedFor?.slice(forwardedFor.lastIndexOf(",") + 1).trim() ?? "";
  return rightmost === "" ? sourceAddress : (statedAddress(rightmost) ?? sourceAddress);
}

function verdictOf<E extends InboundExchange>(
  result: StepResult,
  exchange: E,
  { routeOf }: { readonly routeOf: (exchange: E) => RequestVerdict },
): RequestVerdict {
  return result === "continue" ? routeOf(exchange) : result;
}

function applicationRoute(
  { protocol, upgrade, call, terms: { port, routes } }: InboundExchange,
  { pools, application }: Pick<InboundHttpOptions, "pools" | "application">,
): Route {
  const speaks = upgrade === "websocket" ? "HTTP/1.1" : applicationProtocol(port, protocol);
  const framing = speaks === "HTTP/2" ? "HTTP/2" : "HTTP/1";
  const known = routes[framing];
  if (known !== undefined) return known;
  const { address, dial } = application(call);
  const key = applicationKey(address, framing);
  const target = { address, connections: pools.connections(key, { dial, unnegotiated: framing }) };
  const route: Route = { scheme: "http", attempts: new SingleTarget(target) };
  routes[framing] = route;
  return route;
}

/** By which the connections to an application are known. */
export function applicationKey(address: SocketAddress, framing: HttpFraming): string {
  return `${framing} ${formatAddress(address)}`;
}

/** A peer whose certificate, or ours, ends soon has to come again. */
function mayStay({ call: { lastAnswerFrom }, startedAt }: InboundExchange): boolean {
  return lastAnswerFrom === undefined || startedAt.getTime() < lastAnswerFrom.getTime();
}
