/** What a request goes through at a gateway before and beside what every inbound request does. */
import { withoutClosingDots } from "../../policy/closing-dots.ts";
import { mayServe } from "../../policy/routes/gateway-server-for.ts";
import { type Answer, refusal, type StepResult } from "../exchange.ts";
import { OVER_HTTP, OVER_HTTPS } from "../http/ready-field.ts";
import { INBOUND_STEPS, type InboundExchange } from "../inbound-steps.ts";
import { refuseLargeHead } from "../request-steps.ts";
import type { WaitingStep } from "../waiting-steps.ts";
import type { EdgeCall, EdgeTerms } from "./edge-call.ts";
import { extended, FORWARDED_FOR } from "./forwarded-for.ts";

export interface EdgeExchange extends InboundExchange {
  readonly call: EdgeCall;
  readonly terms: EdgeTerms;
}

export const EDGE_STEPS: readonly WaitingStep<EdgeExchange>[] = [
  refuseStrangersLargeHead,
  settleHost,
  refuseMisdirected,
  tellEdge,
  ...INBOUND_STEPS,
];

/** Before anything is added to it. */
function refuseStrangersLargeHead(exchange: EdgeExchange): StepResult {
  return exchange.call.peer === undefined ? refuseLargeHead(exchange) : "continue";
}

/**
 * A host has one name, however a client writes it: policies, servers, routes and the application are told the same. With a
 * closing dot, or in percent-encoding, it would be nobody's here, and the application's all the same.
 */
function settleHost(exchange: EdgeExchange): StepResult {
  const { authority } = exchange;
  if (authority === undefined) return "continue";
  if (authority.includes("%")) return refusal(400, "a percent-encoded host");
  const settled = withoutClosingDots(authority);
  if (settled !== authority) exchange.authority = settled;
  return "continue";
}

/** RFC 9110 section 15.5.20: another server of the port has its own certificate, and its own demands on clients. */
export const MISDIRECTED: Answer = {
  status: 421,
  body: "the connection was made for another host\n",
  flags: "NR",
  details: "misdirected_request",
};

function refuseMisdirected(exchange: EdgeExchange): StepResult {
  return isMisdirected(exchange, exchange.terms) ? MISDIRECTED : "continue";
}

/** @param terms of today */
export function isMisdirected(
  { authority }: Pick<EdgeExchange, "authority">,
  { listener, server }: EdgeTerms,
): boolean {
  if (listener === undefined || server === undefined) return true;
  return !mayServe(listener.listener, { server: server.server, authority });
}

const PROTO = "x-forwarded-proto";
const EXTERNAL_ADDRESS = "x-envoy-external-address";
const REQUEST_ID = "x-request-id";
/**
 * By these words a mesh tells its own proxies what to do, and nobody else does.
 * Source: `ConnectionManagerUtility::cleanInternalHeaders` of envoyproxy/envoy; by the last two Istio's proxies tell each other
 * who they are
 */
const INTERNAL: readonly string[] = [
  EXTERNAL_ADDRESS,
  "x-envoy-internal",
  "x-envoy-decorator-operation",
  "x-envoy-downstream-service-cluster",
  "x-envoy-downstream-service-node",
  "x-envoy-expected-rq-timeout-ms",
  "x-envoy-force-trace",
  "x-envoy-hedge-on-per-try-timeout",
  "x-envoy-ip-tags",
  "x-envoy-is-timeout-retry",
  "x-envoy-max-retries",
  "x-envoy-original-host",
  "x-envoy-original-path",
  "x-envoy-original-url",
  "x-envoy-attempt-count",
  "x-envoy-retriable-header-names",
  "x-envoy-retriable-status-codes",
  "x-envoy-retry-grpc-on",
  "x-envoy-retry-on",
  "x-envoy-upstream-alt-stat-name",
  "x-envoy-upstream-rq-per-try-timeout-ms",
  "x-envoy-upstream-rq-timeout-alt-response",
  "x-envoy-upstream-rq-timeout-ms",
  "x-envoy-peer-metadata",
  "x-envoy-peer-metadata-id",
];

/** Who has called, and how: said by us, as nobody in front of us is believed but proxies that are trusted. */
function tellEdge(exchange: EdgeExchange): StepResult {
  const { headers, call, terms, connection } = exchange;
  for (const name of INTERNAL) headers.remove(name);
  const received = headers.get(FORWARDED_FOR);
  headers.set(FORWARDED_FOR, extended(received, connection.sourceAddress));
  headers.add(EXTERNAL_ADDRESS, exchange.remoteAddress);
  if (terms.trustedProxies === 0 || headers.isBlank(PROTO)) {
    headers.remove(PROTO);
    headers.addReady(call.transport === "tls" ? OVER_HTTPS : OVER_HTTP);
  }
  if (terms.rules.requestId === "generated") headers.remove(REQUEST_ID);
  return "continue";
}
