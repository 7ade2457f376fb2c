/** What an inbound request goes through before the application sees it, in this order. */
import type { PathNormalization } from "../api/mesh-settings.ts";
import type { ProxyHeaders } from "../api/proxy-headers.ts";
import type { Authentication } from "../jwt/request-authenticator.ts";
import type { CompiledAuthorization } from "../policy/authorize.ts";
import type { Decision } from "../policy/decision.ts";
import { normalizePath, pathRefusal } from "../policy/path-normalization.ts";
import type { HttpRequest, TokenPayload } from "../policy/traffic.ts";
import { startSpan } from "../telemetry/tracing/span.ts";
import { denied, detailsOf } from "./denied-answer.ts";
import { type Exchange, refusal, type StepResult } from "./exchange.ts";
import {
  askedOf,
  type Consulted,
  consultAuthorizers,
} from "./external-authorization/consultation.ts";
import {
  consultedDecision,
  standingDecision,
} from "./external-authorization/consulted-decision.ts";
import type { ExternalAuthorization } from "./external-authorization/external-authorization.ts";
import { type ClientCertForwarding, FORWARDED_CLIENT_CERT } from "./forwarded-client-cert.ts";
import { leaveOutDisguised } from "./http/disguised-fields.ts";
import type { HeldFields } from "./http/held-fields.ts";
import { OVER_HTTP, OVER_HTTPS } from "./http/ready-field.ts";
import { removeReserved } from "./http/reserved-names.ts";
import type { InboundCall } from "./inbound-call.ts";
import type { InboundTerms } from "./inbound-terms.ts";
import type { Peer, PresentedCertificate } from "./peer.ts";
import type { RateLimits } from "./rate-limits/rate-limits.ts";
import type { TransportRules } from "./refusal-today.ts";
import {
  identifyRequest,
  refuseAsterisk,
  refuseExpectation,
  refuseForgottenCaller,
  refuseLargeHead,
  refuseUnknownMethod,
  refuseWithoutAuthority,
} from "./request-steps.ts";
import { type TokenAuthentication, tokenAnswer } from "./token-authentication.ts";
import type { Waiting, WaitingStep } from "./waiting-steps.ts";

/** The policy in force when a request is judged: every request of a connection sees the newest. */
export interface InboundRules extends TransportRules {
  readonly pathNormalization: PathNormalization;
  readonly authorization: CompiledAuthorization;
  readonly clientCert: ClientCertForwarding;
  /** Absent: no RequestAuthentication applies. */
  readonly authentication: TokenAuthentication | undefined;
  /** Absent: no CUSTOM policy applies, and nobody is asked. */
  readonly external: ExternalAuthorization | undefined;
  /** Absent: none counts requests. */
  readonly rateLimits: RateLimits | undefined;
  readonly requestId: ProxyHeaders["requestId"];
}

/** It is what policies judge, as it is. */
export interface InboundExchange extends Exchange, HttpRequest {
  readonly call: InboundCall;
  readonly terms: InboundTerms;
  readonly method: string;
  path: string;
  authority: string | undefined;
  /** Of a token that was verified here; whatever a client says of one counts for nothing (JWT-68). */
  token: TokenPayload | undefined;
  /** Once authorizers were asked. */
  consulted?: Consulted | undefined;
  /** While authorizers on trial are asked; never rejects, and does not take long. */
  trial?: Promise<void> | undefined;
}

export const INBOUND_STEPS: readonly WaitingStep<InboundExchange>[] = [
  refuseFormerlyWelcome,
  refuseTunnel,
  refuseStrangersLargeHead,
  refuseUnknownMethod,
  refuseWithoutAuthority,
  refuseAsterisk,
  refuseForgottenCaller,
  refuseTarget,
  normalizeTarget,
  identify,
  traceRequest,
  forwardCaller,
  reserveNames,
  consultAuthorizers,
  authenticate,
  authorize,
  refuseExpectation,
  limitRate,
];

/** A connection may be older than the mode or the trust that would refuse it today. */
function refuseFormerlyWelcome(exchange: InboundExchange): StepResult {
  const { refusal: reason } = exchange.terms;
  if (reason === undefined) return "continue";
  exchange.decision = { verdict: "deny", reason };
  return "reset";
}

function refuseTunnel({ method }: InboundExchange): StepResult {
  return method === "CONNECT" ? refusal(405, "CONNECT is not served") : "continue";
}

/** A peer's sidecar may have added to what its application has sent. */
function refuseStrangersLargeHead(exchange: InboundExchange): StepResult {
  return exchange.call.peer === undefined ? refuseLargeHead(exchange) : "continue";
}

/** AP-107: what has no form in which it could be judged; a host that is percent-encoded may be another one behind us. */
function refuseTarget({ path, authority, terms }: InboundExchange): StepResult {
  if (authority?.includes("%")) return refusal(400, "a percent-encoded host");
  const problem = pathRefusal(path, terms.rules.pathNormalization);
  return problem === undefined ? "continue" : refusal(400, problem);
}

function normalizeTarget(exchange: InboundExchange): StepResult {
  exchange.path = normalizePath(exchange.path, exchange.terms.rules.pathNormalization);
  return "continue";
}

function identify(exchange: InboundExchange): StepResult {
  return exchange.terms.rules.requestId === "generated" ? identifyRequest(exchange) : "continue";
}

/** Whoever is refused is told in a span, too. */
function traceRequest(exchange: InboundExchange): StepResult {
  const { spanSide, headers, connection } = exchange;
  if (spanSide === undefined) return "continue";
  exchange.span = startSpan(spanSide, headers, { containerPort: connection.destinationPort });
  return "continue";
}

/** No client says of itself that it is internal; Envoy, which nobody is internal to, takes it away, too. */
const INTERNAL = "x-envoy-internal";

/** OBS-30, OBS-32: who called, in words the application can read; on plaintext nobody may say so. */
function forwardCaller({ headers, call, terms }: InboundExchange): StepResult {
  tellCaller(headers, call.peer ?? call.clientCertificate, terms);
  headers.remove(INTERNAL);
  leaveOutDisguised(headers);
  if (headers.isBlank("x-forwarded-proto")) {
    headers.remove("x-forwarded-proto");
    headers.addReady(call.peer === undefined ? OVER_HTTP : OVER_HTTPS);
  }
  return "continue";
}

function tellCaller(
  headers: HeldFields,
  peer: Peer | PresentedCertificate | undefined,
  { caller, rules }: InboundTerms,
): void {
  const received = headers.get(FORWARDED_CLIENT_CERT);
  if (received === undefined) {
    if (caller !== undefined) headers.addReady(caller);
    return;
  }
  const told = rules.clientCert.forward(received, peer);
  if (told === undefined) headers.remove(FORWARDED_CLIENT_CERT);
  else if (told !== received) headers.set(FORWARDED_CLIENT_CERT, told);
}

/** JWT-74: before anybody reads what clients say in our words, and before authorizers or tokens say it. */
function reserveNames(exchange: InboundExchange): StepResult {
  const { authentication } = exchange.terms.rules;
  if (authentication !== undefined) reserve(exchange, authentication.outputs);
  return "continue";
}

/** JWT-74 holds for every request; a preflight of CORS has no token to show (JWT-22). */
function authenticate(exchange: InboundExchange): StepResult | Waiting {
  const { authentication } = exchange.terms.rules;
  if (authentication === undefined) return "continue";
  if (isPreflight(exchange)) return "continue";
  const found = authentication.authenticate(exchange, exchange.startedAt);
  if (!(found instanceof Promise)) return admitUser(exchange, authentication, found);
  return { until: found.then((verified) => admitUser(exchange, authentication, verified)) };
}

/** Before anything of ours is written: no client says it, in headers or trailers. */
function reserve(exchange: InboundExchange, names: readonly string[]): void {
  if (names.length === 0) return;
  removeReserved(exchange.headers, names);
  exchange.reservedNames = names;
}

function isPreflight({ method, headers }: InboundExchange): boolean {
  if (method !== "OPTIONS" || !headers.get("origin")) return false;
  return Boolean(headers.get("access-control-request-method"));
}

function admitUser(
  exchange: InboundExchange,
  authentication: TokenAuthentication,
  found: Authentication,
): StepResult {
  if (found.result === "good") {
    exchange.token = authentication.accept(exchange, found.accepted);
    return "continue";
  }
  const reason = authentication.refusal(found);
  exchange.decision = { verdict: "deny", reason, ...askedOf(exchange) };
  authentication.conceal(exchange);
  return tokenAnswer(found.result, {
    scheme: exchange.headers.get("x-forwarded-proto") ?? "http",
    authority: exchange.authority ?? "",
    path: exchange.path,
  });
}

function authorize(exchange: InboundExchange): StepResult {
  const decision = consultedDecision(exchange);
  exchange.decision = decision;
  if (decision.verdict === "allow") return "continue";
  return denied(detailsOf(decision.reason));
}

/** Last of all: what is refused spends nothing. */
function limitRate(exchange: InboundExchange): StepResult | Waiting {
  return exchange.terms.rules.rateLimits?.admit(exchange) ?? "continue";
}

/**
 * A request that was let in a while ago, and waits, or has become a connection, as a WebSocket: under the terms of today.
 *
 * @returns the details of the refusal, which the exchange then has as its decision; undefined when it may go on
 */
export function refusalUnder(terms: InboundTerms, exchange: InboundExchange): string | undefined {
  const { refusal: reason } = terms;
  const decision: Decision =
    reason === undefined ? standingDecision(exchange, terms) : { verdict: "deny", reason };
  if (decision.verdict === "allow") return undefined;
  exchange.decision = decision;
  return detailsOf(decision.reason);
}
