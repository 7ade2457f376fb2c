/**
 * Counts for the whole mesh, by Envoy's rate limit service protocol. What a limit allows is known from the mesh's own resources,
 * never from who asks; and a caller counts only for the limits of its own workload.
 */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import {
  hashedEntry,
  IDENTITY_ENTRY,
  KEY_ENTRY,
  LIMIT_ENTRY,
  rateLimitDomain,
} from "../policy/global-limit-descriptor.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { cut, type Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { RateLimitDescriptor } from "../wire/gen/envoy/extensions/common/ratelimit/v3/ratelimit_pb.ts";
import {
  RateLimitResponse_Code as Code,
  type RateLimitRequest,
  RateLimitService,
} from "../wire/gen/envoy/service/ratelimit/v3/rls_pb.ts";
import { type Caller, type GrpcService, grpcService, unary } from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { ADVANCE_HEADER } from "../wire/rate-limit-call.ts";
import { ConcernedLimits, type WorkloadViews } from "./concerned-limits.ts";
import { type Count, type Counters, CountersAwayError, CountersLateError } from "./counters.ts";
import { statusOf, UNLIMITED } from "./descriptor-status.ts";
import { FairTurns } from "./fair-turns.ts";
import { type IdentifyCaller, KnownCallers } from "./known-callers.ts";

export interface RateLimitServiceOptions {
  readonly trustDomain: string;
  /** Of all pods. */
  readonly views: Watched<WorkloadViews>;
  readonly identify: IdentifyCaller;
  readonly counters: Counters;
  readonly log: Log;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

const MAX_DESCRIPTORS = 64;
const MAX_ENTRIES = 8;
const MAX_NAME_CHARACTERS = 512;
/** A SPIFFE ID, the longest value that anybody has a use for. */
const MAX_VALUE_CHARACTERS = 2_048;
const MAX_TOLD_CHARACTERS = 300;

export function rateLimitService(options: RateLimitServiceOptions): GrpcService {
  const { now = () => performance.now(), log } = options;
  const callers = new KnownCallers(options.identify, now);
  const desk = new CountingDesk(options);
  const turns = new FairTurns<SpiffeId>();
  const refused = new BoundedWarning(log, { message: "question of a rate limit refused" });
  return grpcService(RateLimitService, {
    shouldRateLimit: unary(async (request, caller) => {
      const counts = request.descriptors.length;
      const id = await callers.admit(caller, counts).catch((error: unknown) => {
        refused.warn({ remote: caller.remoteAddress, reason: describeError(error) });
        throw error instanceof GrpcStatusError
          ? error
          : new GrpcStatusError("UNAUTHENTICATED", "request authenticate failure");
      });
      await turns.next(id);
      return desk.answer(request, { id, advance: advanceOf(caller) });
    }, log),
  });
}

interface Asker {
  readonly id: SpiffeId;
  readonly advance: Count["advance"];
}

function advanceOf(caller: Caller): Count["advance"] {
  return caller.headers(ADVANCE_HEADER).length > 0 ? "welcome" : "unwelcome";
}

class CountingDesk {
  readonly #options: RateLimitServiceOptions;
  readonly #concerned = new ConcernedLimits();
  readonly #unknown: BoundedWarning;

  constructor(options: RateLimitServiceOptions) {
    this.#options = options;
    const message = "a rate limit was asked about that is none of the caller's";
    this.#unknown = new BoundedWarning(options.log, { message });
  }

  /** @throws GrpcStatusError */
  async answer(request: RateLimitRequest, asker: Asker) {
    this.#check(request);
    const hits = Math.max(1, request.hitsAddend);
    const statuses = await Promise.all(
      request.descriptors.map((descriptor) => this.#count(descriptor, { ...asker, hits })),
    ).catch((error: unknown) => {
      throw notCounted(error);
    });
    const isOver = statuses.some(({ code }) => code === Code.OVER_LIMIT);
    return { overallCode: isOver ? Code.OVER_LIMIT : Code.OK, statuses };
  }

  #check({ domain, descriptors }: RateLimitRequest): void {
    const own = rateLimitDomain(this.#options.trustDomain);
    if (domain !== own)
      throw new GrpcStatusError("INVALID_ARGUMENT", `the domain of this mesh is ${own}`);
    if (descriptors.length === 0 || descriptors.length > MAX_DESCRIPTORS)
      throw new GrpcStatusError("INVALID_ARGUMENT", `expected 1 to ${MAX_DESCRIPTORS} descriptors`);
    if (!descriptors.every(isReadable))
      throw new GrpcStatusError(
        "INVALID_ARGUMENT",
        "a descriptor has too many entries, or too long ones",
      );
  }

  /** What is no limit of the caller's is not counted; as a service of Envoy's does with descriptors that it does not know. */
  async #count(
    { entries }: RateLimitDescriptor,
    { id, advance, hits }: Asker & { readonly hits: number },
  ) {
    const entry = (name: string): string => entries.find(({ key }) => key === name)?.value ?? "";
    const name = entry(LIMIT_ENTRY);
    const limit = this.#concerned.find(this.#options.views.current, id, name);
    if (limit === undefined) {
      this.#unknown.warn({ caller: id, limit: cut(name, MAX_TOLD_CHARACTERS) });
      return UNLIMITED;
    }
    const taken = await this.#options.counters.take({
      limit: name,
      key: hashedEntry(entry(KEY_ENTRY)), // short, whatever was asked
      rate: limit.amount / limit.perMs,
      burst: limit.burst,
      fair: limit.fair,
      identity: limit.fair ? hashedEntry(entry(IDENTITY_ENTRY)) : "",
      hits,
      advance,
    });
    return statusOf(limit, { hits, taken });
  }
}

/** As no failed connection is told: whoever asks keeps the one that it has. */
function notCounted(error: unknown): unknown {
  if (error instanceof CountersAwayError)
    return new GrpcStatusError("FAILED_PRECONDITION", error.message);
  if (error instanceof CountersLateError)
    return new GrpcStatusError("DEADLINE_EXCEEDED", error.message);
  return error;
}

function isReadable({ entries }: RateLimitDescriptor): boolean {
  if (entries.length > MAX_ENTRIES) return false;
  return entries.every(
    ({ key, value }) => key.length <= MAX_NAME_CHARACTERS && value.length <= MAX_VALUE_CHARACTERS,
  );
}
