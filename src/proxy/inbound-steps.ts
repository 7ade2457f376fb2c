/** What an inbound request goes through before the application sees it, in this order. */
import { isIP } from "node:net";
import type { PathNormalization } from "../api/mesh-config.ts";
import { verifyTrustDomain } from "../identity/peer-certificate.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { authorizeRequest, type CompiledAuthorization } from "../policy/authorize.ts";
import type { Reason } from "../policy/decision.ts";
import { hasFragment, normalizePath } from "../policy/path-normalization.ts";
import type { Connection } from "../policy/traffic.ts";
import type { EffectiveMutualTls, Trust } from "../policy/workload-view.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { responseCodeDetails } from "../telemetry/response-details.ts";
import { type Exchange, refusal, type Step, type StepResult } from "./exchange.ts";
import { appendForwardedClientCert, FORWARDED_CLIENT_CERT } from "./forwarded-client-cert.ts";
import type { Peer } from "./peer.ts";
import { identifyRequest, refuseAmbiguous, resolveTarget } from "./request-steps.ts";

/** The policy in force when a request is judged: every request of a connection sees the newest. */
export interface InboundRules {
  readonly own: SpiffeId;
  readonly trust: Trust;
  readonly mutualTls: EffectiveMutualTls;
  readonly pathNormalization: PathNormalization;
  readonly authorization: CompiledAuthorization;
}

export interface InboundExchange extends Exchange {
  readonly connection: Connection;
  /** Absent on plaintext. */
  readonly peer: Peer | undefined;
  readonly rules: InboundRules;
}

/** AP-130: exactly these 19 bytes. */
export const DENIED_BODY = "RBAC: access denied";

export const INBOUND_STEPS: readonly Step<InboundExchange>[] = [
  refuseFormerlyWelcome,
  refuseAmbiguous,
  resolveTarget,
  refuseFragment,
  normalizeTarget,
  identifyRequest,
  forwardCaller,
  authorize,
];

/** A connection may be older than the mode or the trust that would refuse it today. */
function refuseFormerlyWelcome(exchange: InboundExchange): StepResult {
  const reason = refusalToday(exchange);
  if (reason === undefined) return "continue";
  exchange.decision = { verdict: "deny", reason };
  return "reset";
}

function refusalToday({ peer, rules }: InboundExchange): Reason | undefined {
  const { mode, origin } = rules.mutualTls;
  if (peer === undefined) {
    return mode === "STRICT" ? { because: "plaintext-refused", origin } : undefined;
  }
  try {
    verifyTrustDomain(peer.id, rules.trust);
    return undefined;
  } catch (error) {
    return { because: "peer-not-verified", problem: describeError(error) };
  }
}

/** AP-107 */
function refuseFragment({ path }: InboundExchange): StepResult {
  return hasFragment(path) ? refusal(400, "the path has a fragment") : "continue";
}

function normalizeTarget(exchange: InboundExchange): StepResult {
  exchange.path = normalizePath(exchange.path, exchange.rules.pathNormalization);
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
  const { head, path, authority, headers, connection, rules } = exchange;
  const decision = authorizeRequest(rules.authorization, {
    connection,
    method: head.method,
    path,
    ...(authority === undefined ? {} : { authority }),
    remoteAddress: remoteAddress(headers.get("x-forwarded-for"), connection),
    header: (name) => (name === "host" ? authority : headers.get(name)),
  });
  exchange.decision = decision;
  if (decision.verdict === "allow") return "continue";
  const details = responseCodeDetails(decision.reason) ?? "rbac_access_denied";
  return { status: 403, body: DENIED_BODY, flags: "-", details };
}

/** AP-51a: the rightmost address of X-Forwarded-For, when it is one. */
function remoteAddress(forwardedFor: string | undefined, { sourceAddress }: Connection): string {
  const rightmost = forwardedFor?.slice(forwardedFor.lastIndexOf(",") + 1).trim() ?? "";
  return isIP(rightmost) === 0 ? sourceAddress : rightmost;
}
