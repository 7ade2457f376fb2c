/** What an inbound request goes through before the application sees it, in this order. */
import type { PathNormalization } from "../api/mesh-settings.ts";
import { plainAddress } from "../api/plain-address.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { CompiledAuthorization } from "../policy/authorize.ts";
import type { ConnectionAuthorization } from "../policy/connection-authorization.ts";
import { normalizePath, pathRefusal } from "../policy/path-normalization.ts";
import type { Connection } from "../policy/traffic.ts";
import { responseCodeDetails } from "../telemetry/response-details.ts";
import { startSpan } from "../telemetry/tracing/span.ts";
import { type Exchange, refusal, type Step, type StepResult } from "./exchange.ts";
import { appendForwardedClientCert, FORWARDED_CLIENT_CERT } from "./forwarded-client-cert.ts";
import { type AcceptedTransport, refusalToday, type TransportRules } from "./refusal-today.ts";
import { refuseDelegated } from "./refuse-delegated.ts";
import {
  identifyRequest,
  refuseExpectation,
  refuseUnknownMethod,
  refuseWithoutAuthority,
} from "./request-steps.ts";

/** The policy in force when a request is judged: every request of a connection sees the newest. */
export interface InboundRules extends TransportRules {
  readonly own: SpiffeId;
  readonly pathNormalization: PathNormalization;
  readonly authorization: CompiledAuthorization;
}

export interface InboundExchange extends Exchange, AcceptedTransport {
  readonly connection: Connection;
  readonly authorization: ConnectionAuthorization;
  readonly rules: InboundRules;
}

/** AP-130: exactly these 19 bytes. */
export const DENIED_BODY = "RBAC: access denied";

export const INBOUND_STEPS: readonly Step<InboundExchange>[] = [
  refuseFormerlyWelcome,
  refuseTunnel,
  refuseUnknownMethod,
  refuseWithoutAuthority,
  refusePath,
  normalizeTarget,
  identifyRequest,
  traceRequest,
  forwardCaller,
  authorize,
  refuseExpectation,
];

/** A connection may be older than the mode or the trust that would refuse it today. */
function refuseFormerlyWelcome(exchange: InboundExchange): StepResult {
  const reason = refusalToday(exchange, { rules: exchange.rules, now: exchange.startedAt });
  if (reason === undefined) return "continue";
  exchange.decision = { verdict: "deny", reason };
  return "reset";
}

function refuseTunnel({ method }: InboundExchange): StepResult {
  return method === "CONNECT" ? refusal(405, "CONNECT is not served") : "continue";
}

/** AP-107: what has no form in which it could be judged. */
function refusePath({ path, rules }: InboundExchange): StepResult {
  const problem = pathRefusal(path, rules.pathNormalization);
  return problem === undefined ? "continue" : refusal(400, problem);
}

function normalizeTarget(exchange: InboundExchange): StepResult {
  exchange.path = normalizePath(exchange.path, exchange.rules.pathNormalization);
  return "continue";
}

/** Whoever is refused is told in a span, too. */
function traceRequest(exchange: InboundExchange): StepResult {
  const { spanSide, headers, connection } = exchange;
  if (spanSide === undefined) return "continue";
  exchange.span = startSpan(spanSide, headers, { containerPort: connection.destinationPort });
  return "continue";
}

/** OBS-30, OBS-32: who called, in words the application can read; on plaintext nobody may say so. */
function forwardCaller({ headers, peer, rules }: InboundExchange): StepResult {
  if (peer === undefined) {
    headers.remove(FORWARDED_CLIENT_CERT);
  } else {
    const received = headers.get(FORWARDED_CLIENT_CERT);
    headers.set(
      FORWARDED_CLIENT_CERT,
      appendForwardedClientCert(received, { own: rules.own, peer }),
    );
  }
  if (!headers.get("x-forwarded-proto")) {
    headers.set("x-forwarded-proto", peer === undefined ? "http" : "https");
  }
  return "continue";
}

function authorize(exchange: InboundExchange): StepResult {
  const { method, path, authority, headers, connection, authorization, rules } = exchange;
  const judged = authorization.judge(rules.authorization, {
    connection,
    method,
    path,
    ...(authority === undefined ? {} : { authority }),
    remoteAddress: remoteAddress(headers.get("x-forwarded-for"), connection),
    header: (name) => (name === "host" ? authority : headers.get(name)),
  });
  const decision = refuseDelegated(judged);
  exchange.decision = decision;
  if (decision.verdict === "allow") return "continue";
  const details = responseCodeDetails(decision.reason) ?? "rbac_access_denied";
  return { status: 403, body: DENIED_BODY, flags: "-", details };
}

/** AP-51a: the rightmost address of X-Forwarded-For, when it is one. */
function remoteAddress(forwardedFor: string | undefined, { sourceAddress }: Connection): string {
  const rightmost = forwardedFor?.slice(forwardedFor.lastIndexOf(",") + 1).trim() ?? "";
  return plainAddress(rightmost) ?? sourceAddress;
}
