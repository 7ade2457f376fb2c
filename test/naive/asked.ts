/** What one value of a policy is asked about, in the naive interpreter. Nothing here is shared with the engine. */
import type { Connection, HttpRequest } from "../../src/policy/traffic.ts";

/** A connection, and the request on it where the chain that matched carries HTTP (AP-63). */
export interface Traffic {
  readonly connection: Connection;
  readonly request?: HttpRequest;
}

/** The mesh's own trust domain and its aliases (AP-45d). */
export interface TrustDomains {
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
}

export interface Asked {
  readonly traffic: Traffic;
  readonly trust: TrustDomains;
  /** A service account without namespace is of the policy's own (AP-47). */
  readonly policyNamespace: string;
  /** Whether a match lets traffic through or keeps it out: doubtful paths are judged by it (AP-72). */
  readonly purpose: "let in" | "keep out";
}

/** "untranslatable": no condition can be made of this value here (AP-36, AP-60). */
export type Truth = boolean | "untranslatable";

/** Does the traffic have this value? */
export type Question = (value: string, asked: Asked) => Truth;

/** A question that only a request can answer (AP-60). */
export function ofRequest(
  question: (value: string, request: HttpRequest, asked: Asked) => Truth,
): Question {
  return (value, asked) => {
    const { request } = asked.traffic;
    return request === undefined ? "untranslatable" : question(value, request, asked);
  };
}
