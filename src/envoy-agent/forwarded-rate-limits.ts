/**
 * Passes Envoy's questions of global rate limits on to the control plane, as the workload that it belongs to. What callers
 * are told apart by goes on as a hash, the same as of our own sidecars: so the two count together, and nobody else reads it.
 */
import { hashedEntry, IDENTITY_ENTRY, KEY_ENTRY } from "../policy/global-limit-descriptor.ts";
import {
  GlobalConnection,
  type GlobalConnectionOptions,
} from "../proxy/rate-limits/global-connection.ts";
import type { Log } from "../runtime/log.ts";
import { type StreamCodec, streamService } from "../wire/byte-streams.ts";
import type { GrpcService } from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import type { RateLimitQuestion } from "../wire/rate-limit-call.ts";
import { readRateLimitQuestion } from "../wire/rate-limit-question.ts";

/** One question, one answer. */
const SHOULD_RATE_LIMIT: StreamCodec<RateLimitQuestion, Uint8Array> = {
  service: "envoy.service.ratelimit.v3.RateLimitService",
  method: "ShouldRateLimit",
  read: readRateLimitQuestion,
  write: (answer) => answer,
};

export interface ForwardedRateLimits {
  readonly service: GrpcService;
  close(): void;
}

/** Nothing is connected before the first question. */
export function forwardedRateLimits(
  options: GlobalConnectionOptions & { readonly log: Log },
): ForwardedRateLimits {
  const connection = new GlobalConnection(options);
  const service = streamService(
    SHOULD_RATE_LIMIT,
    async (stream) => {
      for await (const question of stream.requests) {
        stream.send(await connection.askForBytes(withHashes(question)).catch(unavailable));
        return;
      }
    },
    options.log,
  );
  return { service, close: () => connection.close() };
}

/** @throws GrpcStatusError which tells Envoy to do as the limit says for that */
function unavailable(error: unknown): never {
  if (error instanceof GrpcStatusError) throw error;
  throw new GrpcStatusError("UNAVAILABLE", "the control plane cannot be reached");
}

const HASHED: ReadonlySet<string> = new Set([KEY_ENTRY, IDENTITY_ENTRY]);

function withHashes({ descriptors, ...question }: RateLimitQuestion): RateLimitQuestion {
  return {
    ...question,
    descriptors: descriptors.map((entries) =>
      entries.map(([name, value]) => [name, HASHED.has(name) ? hashedEntry(value) : value]),
    ),
  };
}
