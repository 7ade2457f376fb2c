/** What can be asked about a mesh: whether one caller's connection, or request, would be let through to one port. */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { Reason } from "./decision.ts";
import type { ServicePortName } from "./route.ts";
import type { TokenPayload } from "./traffic.ts";
import type { Workload } from "./workload.ts";
import type { Destination } from "./workload-view.ts";

export interface Question {
  readonly from: Caller;
  /** The IP address that the connection comes from; absent: the caller's, as far as it is known. */
  readonly address?: string;
  readonly to: Workload;
  /** Any, where the kernel leads all connections of the pod to its sidecar; else one that is declared. */
  readonly containerPort: number;
  /** The service by which the caller calls; without it the first that leads to the port. */
  readonly via?: ServicePortName;
  /** The same as the caller knows it, where a route has chosen it, perhaps a subset; it counts more than `via`. */
  readonly through?: Destination;
  /**
   * "pod-address": the caller dials the pod itself, not a service. Its sidecar knows such an address by headless
   * services alone, and passes others through as they are (TLS-24).
   */
  readonly dials?: "service" | "pod-address";
  /** "mutual-tls" where that is certain, whatever chose it; absent: the caller's sidecar chooses, if it has one. */
  readonly speaks?: "mutual-tls";
  /** Needed on a port that carries HTTP, and of no consequence on one that is carried as TCP. */
  readonly request?: AskedRequest;
}

/** "outside" is a caller that is no workload of the mesh, has no sidecar, and proves nothing. */
export type Caller = Workload | IdentifiedCaller | "outside";

/**
 * A caller that is known by its certificate alone, which one of the mesh's roots signed: of this mesh, or of another
 * under the same root. It speaks the mesh's mutual TLS by itself.
 */
export interface IdentifiedCaller {
  readonly identity: SpiffeId;
}

export interface AskedRequest {
  readonly method: string;
  /** As the caller sends it, with its query if any. */
  readonly path: string;
  /** Names in lower case; several values of one name joined with ",". `host` is the authority. */
  readonly headers: ReadonlyMap<string, string>;
  /** Of a token that the callee's sidecar has verified, as it was signed. */
  readonly payload?: TokenPayload;
  /** Present where the request's tokens were looked at, as the callee's sidecar does; then `payload` is not asked. */
  readonly authentication?: AskedAuthentication;
}

/** What the callee's sidecar makes of the tokens of a request. */
export type AskedAuthentication =
  | { readonly refused: Extract<Reason, { because: "token-refused" }> }
  | {
      /** As policies ask about it; undefined: the request has none. */
      readonly token: TokenPayload | undefined;
      /** As tokens leave it: those that were verified are taken out, and headers tell of them. */
      readonly left: Pick<AskedRequest, "path" | "headers">;
    };

/** The question cannot be answered as it was put; the message says what is wrong with it. */
export class QuestionError extends HauberkError {
  readonly code = "HAUBERK_BAD_QUESTION";
}

/** A sidecar would answer the request with 400, or 404, before any policy is asked (AP-107, AP-109). */
export class BadRequestError extends QuestionError {}

/** The caller, if it is a workload of the mesh. */
export function callingWorkload(caller: Caller): Workload | undefined {
  return caller === "outside" || "identity" in caller ? undefined : caller;
}
