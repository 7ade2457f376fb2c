/**
 * What a route may do to what it carries, in the terms of VirtualServices; HTTPRoutes say less. Plain data, fit for a view.
 * Source: https://istio.io/latest/docs/reference/config/networking/virtual-service/
 */
import type { TextMatch } from "./http-match.ts";

export interface Rewrite {
  /** Absent: the path stays. */
  readonly path?: PathRewrite;
  /** Absent: it stays. */
  readonly authority?: string;
}

/** Of a path without its query, which stays. */
export type PathRewrite =
  /** What the route's match took (all of an exact one) is replaced. */
  | { readonly do: "replace-prefix"; readonly prefix: string }
  | { readonly do: "replace-path"; readonly path: string }
  /** RE2; `\1` in the substitution is the first group. */
  | { readonly do: "replace-pattern"; readonly pattern: string; readonly substitution: string };

/** What changes of headers; names are in lower case. Those of a route come before those of its destination. */
export interface HeaderOperations {
  readonly request?: HeaderChanges;
  readonly response?: HeaderChanges;
}

/** Set first, then added, then removed. Never of `:authority` or `host`. */
export interface HeaderChanges {
  readonly set: readonly HeaderValue[];
  readonly add: readonly HeaderValue[];
  readonly remove: readonly string[];
}

export interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

export interface RetryPolicy {
  /** Beside the first try; above 0. */
  readonly attempts: number;
  /** Envoy's words, `retriable-status-codes` among them where `statuses` count. */
  readonly conditions: readonly string[];
  readonly statuses: readonly number[];
  /** Absent: the whole request's. */
  readonly perTryTimeoutMs?: number;
  /** Base of the growing pause; absent: 25 ms. */
  readonly backoffMs?: number;
  readonly previousEndpoints: "avoided" | "taken again";
}

export const REDIRECT_STATUSES = [301, 302, 303, 307, 308] as const;
export type RedirectStatus = (typeof REDIRECT_STATUSES)[number];

/** An answer of the proxy's own. */
export interface ResponseAction {
  readonly do: "respond";
  readonly status: number;
  /** Absent: none. */
  readonly body?: { readonly text: string } | { readonly base64: string };
}

export interface CorsPolicy {
  readonly allowOrigins: readonly TextMatch[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds?: number;
  readonly allowCredentials?: boolean;
  /** Whether a preflight of another origin reaches the application. */
  readonly unmatchedPreflights: "forwarded" | "answered";
}

export interface FaultInjection {
  readonly delay?: { readonly millionths: number; readonly delayMs: number };
  readonly abort?: {
    readonly millionths: number;
    readonly answer: { readonly httpStatus: number } | { readonly grpcStatus: string };
  };
}
