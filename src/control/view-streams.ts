/** Who may open a stream of views: a pod that runs, and few of them, since each holds what its sidecar was sent and has not read. */
import { type CallerAuthenticationOptions, type ProvenPod, provenPod } from "../ca/caller.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Caller } from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { PodPlaces } from "./aggregated-discovery/pod-places.ts";
import { StreamAllowance } from "./aggregated-discovery/stream-allowance.ts";
import { MAX_PROCESSES } from "./process-place.ts";
import type { ViewWarnings } from "./view-warnings.ts";

/** Each process of a sidecar has one, and two while it comes back with its next certificate. */
const MOST_STREAMS = 2 * MAX_PROCESSES;

export class ViewStreams {
  readonly #places = new PodPlaces(MOST_STREAMS);
  readonly #allowance: StreamAllowance;
  readonly #options: Omit<CallerAuthenticationOptions, "tokens">;
  readonly #warnings: ViewWarnings;

  constructor(options: Omit<CallerAuthenticationOptions, "tokens">, warnings: ViewWarnings) {
    this.#allowance = new StreamAllowance(options.clock);
    this.#options = options;
    this.#warnings = warnings;
  }

  /**
   * @param signal aborts when the call is gone, with all that was on its way
   * @throws GrpcStatusError whose status is UNAUTHENTICATED or RESOURCE_EXHAUSTED
   */
  take(caller: Caller, signal: AbortSignal): ProvenPod {
    const proven = this.#authenticate(caller);
    const { namespace, podName } = proven.pod;
    try {
      this.#allowance.take(proven);
      this.#places.take(`${namespace}/${podName}`, signal);
      return proven;
    } catch (cause) {
      const reason = describeError(cause);
      this.#warnings.restless.warn({ caller: proven.id, pod: podName, reason });
      throw new GrpcStatusError("RESOURCE_EXHAUSTED", reason, { cause });
    }
  }

  #authenticate(caller: Caller): ProvenPod {
    try {
      return provenPod(caller, this.#options);
    } catch (error) {
      const remote = caller.remoteAddress;
      this.#warnings.unproven.warn({ remote, reason: describeError(error) });
      throw new GrpcStatusError("UNAUTHENTICATED", "a workload certificate is required");
    }
  }
}
