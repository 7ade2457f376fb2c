/** What is asked of all who judge: a set of policies on one workload, and calls to it, as they lie on the wire. */
import type { PathNormalization } from "../../src/api/mesh-settings.ts";
import type { PortProtocol } from "../../src/api/service.ts";
import type { MutualTlsMode } from "../../src/policy/decision.ts";
import type { TokenPayload } from "../../src/policy/traffic.ts";
import type { EffectiveAuthorization } from "../../src/policy/workload-view.ts";
import type { OwnTrustDomains } from "../kit/compiled-engine.ts";

export interface PolicySet {
  readonly policies: EffectiveAuthorization;
  readonly trust: OwnTrustDomains;
  readonly pathNormalization: PathNormalization;
  readonly mode: MutualTlsMode;
  readonly ports: readonly SetPort[];
  /** Whether tokens are verified: whoever carries a bad one is refused then. */
  readonly tokens: "verified" | "ignored";
  /** In which of its forms the translator writes the rules for Envoy. */
  readonly form: EnvoyForm;
}

export type EnvoyForm = "linear" | "matcher";

export interface SetPort {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
}

/** Where the workload is called at a port, the same for all sets: what policies say of destinations has something to meet. */
export const PORT_ADDRESSES: ReadonlyMap<number, string> = new Map([
  [80, "127.0.0.1"],
  [8080, "127.0.0.200"],
  [8443, "127.0.1.1"],
  [65_535, "::1"],
]);

export type Caller =
  | { readonly kind: "identity"; readonly uri: string }
  /** A certificate that names more than one identity. */
  | { readonly kind: "identities"; readonly uris: readonly string[] }
  /** TLS without a certificate. */
  | { readonly kind: "nobody" }
  | { readonly kind: "plaintext" };

export interface CalledPort {
  readonly caller: Caller;
  /** 127.0.0.0/8 or ::1. */
  readonly sourceAddress: string;
  readonly containerPort: number;
  /** TLS server name. */
  readonly serverName?: string;
  readonly protocol: "http/1.1" | "h2" | "tcp";
}

export interface Call extends CalledPort {
  /** Absent exactly where the protocol is "tcp". */
  readonly request?: WireRequest;
}

export interface WireRequest {
  readonly method: string;
  /** As sent, with its query. */
  readonly path: string;
  readonly authority: string;
  /**
   * The target names scheme and authority itself, and the Host field is this other one (RFC 9112 section 3.2.2). HTTP/1.1
   * alone has it; over HTTP/2 it is left out.
   */
  readonly beside?: string;
  /** In this order; names may be there more than once, in any letter case, which HTTP/2 does not keep. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** After a body; absent: there is neither. */
  readonly trailers?: readonly (readonly [name: string, value: string])[];
  readonly token?: WireToken;
}

export interface WireToken {
  readonly payload: TokenPayload;
  /** Why nobody should take it; absent: it is good. */
  readonly flaw?: TokenFlaw;
}

/** "forged": signed by a key that nobody trusts; "stranger": of an issuer that nobody knows. */
export type TokenFlaw = "forged" | "expired" | "unsigned" | "garbage" | "stranger";

/** What is seen of a call that nobody answered in time: it says nothing of a verdict. */
export const LATE = "late";

/** What comes of a call: whether the application was reached, and how the caller saw it. */
export interface Outcome {
  readonly verdict: "allowed" | "denied";
  /** `200`, `403`, `closed`. */
  readonly seen: string;
}

/** Calls that can share a connection have the same key. */
export function connectionKey(call: CalledPort): string {
  const { caller, sourceAddress, containerPort, serverName = "", protocol } = call;
  return JSON.stringify([caller, sourceAddress, containerPort, serverName, protocol]);
}
