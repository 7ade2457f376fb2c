/**
 * How many streams a pod may open: each is a proxy that is made all it is to have, so that one pod which connects, asks and
 * leaves without end would keep the control plane from serving others.
 */
import type { AuthenticatedCaller } from "../../ca/caller.ts";
import type { Clock } from "../../runtime/clock.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import { type FillingRate, TokenBuckets } from "../token-buckets.ts";

/**
 * An Envoy that cannot stay comes back ten times in its first seconds, and every few later on. All streams of a pod begin
 * anew with each of its certificates: every second with the shortest there are, or 32 of them every ten seconds.
 */
const POD: FillingRate = { atOnce: 60, perSecond: 4 };

/** A pod opens discovery streams faster than any proxy needs to; it is served again a moment later. */
export class StreamsSpentError extends HauberkError {
  readonly code = "HAUBERK_STREAMS_SPENT";
}

export class StreamAllowance {
  readonly #pods: TokenBuckets;

  constructor(clock: Clock) {
    this.#pods = new TokenBuckets(POD, clock);
  }

  /** Takes one stream for the pod whose proof was shown. @throws StreamsSpentError */
  take({ pod: { namespace, podName, podUid } }: Pick<AuthenticatedCaller, "pod">): void {
    const pod = `${namespace}/${podName}`;
    if (this.#pods.take(`${pod}/${podUid}`) === "granted") return;
    throw new StreamsSpentError(`pod ${pod} opens more than ${POD.perSecond} streams a second`);
  }
}
