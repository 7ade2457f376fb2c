/** How many streams a pod may have at once: each holds what its proxy was sent and has not taken. */
import { GrpcStatusError } from "../../wire/grpc-status.ts";

/** An Envoy has one, or two while it comes back; gRPC programs of one pod have one each. */
const MOST_STREAMS = 32;

export class PodPlaces {
  readonly #taken: Map<string, number> = new Map();
  readonly #most: number;

  constructor(most: number = MOST_STREAMS) {
    this.#most = most;
  }

  /**
   * Takes one until the signal aborts: a stream that has ended holds what is on its way until the proxy took it, or is gone.
   *
   * @throws GrpcStatusError when the pod has as many as it may
   */
  take(pod: string, signal: AbortSignal): void {
    if (signal.aborted) return;
    const taken = this.#taken.get(pod) ?? 0;
    if (taken >= this.#most)
      throw new GrpcStatusError(
        "RESOURCE_EXHAUSTED",
        `a pod has at most ${this.#most} streams at once`,
      );
    this.#taken.set(pod, taken + 1);
    signal.addEventListener("abort", () => this.#leave(pod), { once: true });
  }

  #leave(pod: string): void {
    const left = (this.#taken.get(pod) ?? 1) - 1;
    if (left === 0) this.#taken.delete(pod);
    else this.#taken.set(pod, left);
  }
}
