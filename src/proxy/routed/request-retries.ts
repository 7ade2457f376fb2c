/**
 * When a request may be sent again, as a user's route says. Source: `RetryStateImpl` in
 * `source/common/router/retry_state_impl.cc` of envoyproxy/envoy
 */
import type { RetryPolicy } from "../../api/routing/route-parts.ts";
import type { Retries } from "../exchange.ts";
import type { Abort } from "../http/received-message.ts";

const BACKOFF_MS = 25;
/** Of the base: Envoy's longest pause. */
const LONGEST_PAUSE = 10;

/** `grpc-status` by the condition that names it. */
const GRPC: Readonly<Record<string, string>> = {
  cancelled: "1",
  "deadline-exceeded": "4",
  "resource-exhausted": "8",
  internal: "13",
  unavailable: "14",
};
const LOST = ["5xx", "gateway-error", "reset"];

/** Of one request: it counts its tries. */
export class RequestRetries implements Retries {
  readonly #policy: RetryPolicy;
  readonly #chance: () => number;
  #made = 0;

  /** @param chance a number in [0, 1) */
  constructor(policy: RetryPolicy, chance: () => number) {
    this.#policy = policy;
    this.#chance = chance;
  }

  afterAnswer(status: number, grpcStatus: string | undefined): number | undefined {
    return answerCounts(this.#policy, status, grpcStatus) ? this.#next() : undefined;
  }

  afterLoss(cause: Abort["cause"]): number | undefined {
    const { conditions } = this.#policy;
    if (cause === "malformed") return undefined;
    const refused = cause === "reset" && conditions.includes("refused-stream");
    return refused || LOST.some((one) => conditions.includes(one)) ? this.#next() : undefined;
  }

  /** It grows with each try; callers that failed together do not come back together. */
  #next(): number | undefined {
    const { attempts, backoffMs = BACKOFF_MS } = this.#policy;
    if (this.#made >= attempts) return undefined;
    this.#made++;
    const most = Math.min(backoffMs * (2 ** this.#made - 1), backoffMs * LONGEST_PAUSE);
    return Math.floor(this.#chance() * most);
  }
}

function answerCounts(
  { conditions, statuses }: RetryPolicy,
  status: number,
  grpcStatus: string | undefined,
): boolean {
  return conditions.some((condition) => {
    switch (condition) {
      case "5xx":
        return status >= 500;
      case "gateway-error":
        return status >= 502 && status <= 504;
      case "retriable-4xx":
        return status === 409;
      case "retriable-status-codes":
        return statuses.includes(status);
      default:
        return grpcStatus !== undefined && GRPC[condition] === grpcStatus;
    }
  });
}
