/** What is known of one connection to a gateway, and what the newest view says of it. */
import { isDeepStrictEqual } from "node:util";
import type { CallerDemands, ClientTrust, GatewayTls } from "../../policy/gateway-view.ts";
import { type CompiledView, inboundRules } from "../compiled-view.ts";
import type { InboundCall } from "../inbound-call.ts";
import { type InboundTerms, termsOf } from "../inbound-terms.ts";
import type { Peer } from "../peer.ts";
import { callerProblem, mismatch } from "./client-certificate.ts";
import { ServedGateway, type ServedListener, type ServedServer } from "./served-gateway.ts";

export interface EdgeCall extends InboundCall {
  /** Of the pod. */
  readonly containerPort: number;
  /** Of its ClientHello. */
  readonly serverName: string | undefined;
  /** The ALPN names of its ClientHello. */
  readonly offered: readonly string[];
  readonly transport: "plaintext" | "tls";
  /** By which its certificate was found good. */
  readonly verifiedBy?: ClientTrust;
}

export interface EdgeTerms extends InboundTerms {
  readonly listener: ServedListener | undefined;
  /** Undefined: nobody answers any more for the name that the connection was made with. */
  readonly server: ServedServer | undefined;
  /** Of proxies in front of us. */
  readonly trustedProxies: number;
}

/** Of connections that stand, under the newest view that was asked for. */
export class KnownEdgeTerms {
  #compiled: CompiledView | undefined = undefined;
  #terms: WeakMap<EdgeCall, EdgeTerms> = new WeakMap();

  of(call: EdgeCall, compiled: CompiledView, now: Date): EdgeTerms {
    if (compiled !== this.#compiled) {
      this.#compiled = compiled;
      this.#terms = new WeakMap();
    }
    let terms = this.#terms.get(call);
    if (terms === undefined) {
      terms = edgeTerms(call, compiled, now);
      this.#terms.set(call, terms);
    }
    return terms;
  }
}

function edgeTerms(call: EdgeCall, compiled: CompiledView, now: Date): EdgeTerms {
  const listener = ServedGateway.of(compiled).listeners.get(call.containerPort);
  const server = listener?.serverFor(call.serverName);
  const port = call.port();
  const terms = termsOf(call, inboundRules(compiled, port), { port, now });
  const problem = clientProblemNow(call, server, now);
  return {
    ...terms,
    refusal: problem === undefined ? terms.refusal : { because: "peer-not-verified", problem },
    standing: server === undefined || problem !== undefined ? "close" : terms.standing,
    listener,
    server,
    trustedProxies: compiled.view.gatewayTopology?.trustedProxies ?? 0,
  };
}

/** Why a client that was let in once would not be now; its certificate's own end is no reason. */
export function clientProblemNow(
  call: EdgeCall,
  served: ServedServer | undefined,
  now: Date,
): string | undefined {
  if (served === undefined) return undefined;
  const { tls } = served.server;
  if ((tls === undefined) !== (call.transport === "plaintext"))
    return "the server's TLS is another now";
  switch (tls?.mode) {
    case "ISTIO_MUTUAL":
      return callerProblemNow(call.peer, tls.callers);
    case "MUTUAL":
    case "OPTIONAL_MUTUAL":
      return certificateProblemNow(call, { tls, served, now });
    default:
      // Applications would be told of a certificate that nobody stands for any more.
      return call.clientCertificate && "certificates of clients are not looked at any more";
  }
}

function callerProblemNow(
  peer: Peer | undefined,
  callers: CallerDemands | undefined,
): string | undefined {
  if (peer === undefined) return "a certificate of the mesh is demanded now";
  return callerProblem(peer, callers);
}

/** A server whose authorities cannot be read any more lets in nobody who has to show a certificate. */
function certificateProblemNow(
  { verifiedBy, clientCertificate }: EdgeCall,
  {
    tls,
    served,
    now,
  }: { readonly tls: GatewayTls; readonly served: ServedServer; readonly now: Date },
): string | undefined {
  if (clientCertificate === undefined)
    return tls.mode === "MUTUAL" ? "a certificate is demanded now" : undefined;
  if (tls.clientTrust === undefined) return "nothing is known any more of whom to trust";
  if (isDeepStrictEqual(tls.clientTrust, verifiedBy)) return undefined;
  const [leaf] = clientCertificate.chain;
  return (
    served.clientTrust.problemOf(clientCertificate, now) ??
    served.clientTrust.revocationOf(clientCertificate, now) ??
    (leaf && mismatch(leaf, tls.clientTrust))
  );
}
