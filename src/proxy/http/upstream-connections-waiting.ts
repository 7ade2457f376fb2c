/** Requests that wait for a connection, the one that waits longest first. There are only so many. */
import { UpstreamConnectError } from "../upstream-dialer.ts";
import type { Following } from "./received-message.ts";
import type { AnswerSink, OutgoingRequest } from "./streams.ts";

const MOST_WAITING = 4_096;

/** Our own bound was reached: that says nothing of the endpoint. */
export class WaitingOverflowError extends UpstreamConnectError {
  constructor() {
    super("tcp", new Error("too many requests wait for it"));
  }
}

export interface WaitingRequest {
  readonly request: OutgoingRequest;
  readonly following: Following;
  readonly sink: AnswerSink;
}

export class WaitingRequests {
  readonly #requests: Set<WaitingRequest> = new Set();

  get size(): number {
    return this.#requests.size;
  }

  /** @returns whether there was room for it */
  add(request: WaitingRequest): boolean {
    if (this.#requests.size >= MOST_WAITING) return false;
    this.#requests.add(request);
    return true;
  }

  remove(request: WaitingRequest): void {
    this.#requests.delete(request);
  }

  take(): WaitingRequest | undefined {
    if (this.#requests.size === 0) return undefined;
    for (const request of this.#requests) {
      this.#requests.delete(request);
      return request;
    }
    return undefined;
  }

  /** @param count none if less than 1 */
  takeMany(count: number): readonly WaitingRequest[] {
    const taken: WaitingRequest[] = [];
    for (const request of this.#requests) {
      if (taken.length >= count) break;
      this.#requests.delete(request);
      taken.push(request);
    }
    return taken;
  }
}
