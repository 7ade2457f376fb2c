/**
 * One HTTP request on its way through the sidecar, in terms of HTTP alone: what is decided about it does not depend on
 * the library that reads the bytes. Steps are synchronous and run in the order of their list.
 */
import type { Decision } from "../policy/decision.ts";
import type { SocketAddress } from "../policy/workload.ts";
import type { Persistence } from "./connect-attempts.ts";
import { HeaderList } from "./header-list.ts";
import type { UpstreamEnds } from "./upstream-dialer.ts";
import type { DialingAgent } from "./upstream-pool.ts";

export type HttpVersion = "HTTP/1.0" | "HTTP/1.1";

/** A request as received, before anything is believed. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** `1.1` */
  readonly version: string;
  /** Name, value, name, value. */
  readonly rawHeaders: readonly string[];
}

/** What steps read and write. */
export interface Exchange {
  readonly startedAt: Date;
  readonly head: RequestHead;
  readonly version: HttpVersion;
  /** As received, and as steps change them. */
  readonly headers: HeaderList;
  authority: string | undefined;
  /** The target with its query; steps bring it into the form that is judged, logged and forwarded (AP-106). */
  path: string;
  decision: Decision | undefined;
}

/** An answer of our own. */
export interface Answer {
  readonly status: number;
  /** Plain text. */
  readonly body: string;
  readonly headers?: readonly string[];
  /** For the access log (OBS-6). */
  readonly flags: string;
  readonly details: string;
}

/** "reset": the connection ends without a byte. */
export type StepResult = "continue" | "reset" | Answer;
export type Step<E extends Exchange> = (exchange: E) => StepResult;

/** Where a request may be sent. */
export interface Route {
  /** `inbound|8080||`, `outbound|8080||api.production.svc.cluster.local` */
  readonly cluster: string;
  /** In order of preference. */
  readonly targets: readonly Target[];
  /** What is done about a target that cannot be connected. */
  readonly persistence: Persistence;
}

export interface Target {
  readonly address: SocketAddress;
  readonly agent: DialingAgent;
}

/** What became of an exchange. */
export interface Outcome {
  /** Null when no answer was begun. */
  readonly status: number | null;
  readonly flags: string;
  readonly details: string;
  /** Bodies only. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly target?: SocketAddress;
  /** Of the connection to `target`, once there was one. */
  readonly ends?: UpstreamEnds;
  readonly transportFailure?: string;
  /** Of the answer that the callee began, as received. */
  readonly responseHeaders?: HeaderList;
  /** From when the request was sent on to when the answer began, in milliseconds. */
  readonly upstreamServiceMs?: number;
}

export function openExchange(head: RequestHead, startedAt: Date): Exchange {
  return {
    startedAt,
    head,
    version: head.version === "1.0" ? "HTTP/1.0" : "HTTP/1.1",
    headers: new HeaderList(head.rawHeaders),
    authority: undefined,
    path: head.target,
    decision: undefined,
  };
}

/** The first result that is not "continue". */
export function runSteps<E extends Exchange>(steps: readonly Step<E>[], exchange: E): StepResult {
  for (const step of steps) {
    const result = step(exchange);
    if (result !== "continue") return result;
  }
  return "continue";
}

/** An answer to a request that is itself at fault. */
export function refusal(status: number, problem: string): Answer {
  return {
    status,
    body: `${problem}\n`,
    flags: "-",
    details: `http1.${problem.replaceAll(" ", "_")}`,
  };
}
