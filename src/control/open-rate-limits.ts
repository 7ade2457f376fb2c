/** The service that counts for global rate limits, as the control plane has it: who may ask, and where is counted. */
import type { RateLimitSettings } from "../api/rate-limit-settings.ts";
import type { Resource } from "../api/resource.ts";
import { type AuthenticateCaller, UnauthenticatedCallerError } from "../ca/caller.ts";
import type { GlobalCounter } from "../policy/global-limit-descriptor.ts";
import { meshSettingsOf } from "../policy/mesh-snapshot.ts";
import type { LimitLeft } from "../policy/rate-limits/limit-left.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { countersLeft } from "../rate-limit-service/counters-left.ts";
import { openCounters } from "../rate-limit-service/open-counters.ts";
import { rateLimitService } from "../rate-limit-service/rate-limit-service.ts";
import type { Log } from "../runtime/log.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import type { GrpcService } from "../wire/grpc-service.ts";
import { announcedLog } from "./announced-log.ts";

export interface RateLimitsOptions {
  readonly trustDomain: string;
  readonly resources: Watched<readonly Resource[]>;
  readonly authenticate: AuthenticateCaller;
  /** Hears in one line what whoever runs the mesh should. */
  readonly announce?: ((line: string) => void) | undefined;
  readonly log: Log;
}

export interface RateLimits {
  /** @param views of all pods */
  serve(views: Watched<ReadonlyMap<string, WorkloadView>>): GrpcService;
  /** Takes nothing, and throws as `countersLeft`. @param views of all pods */
  left(
    asked: readonly GlobalCounter[],
    views: ReadonlyMap<string, WorkloadView>,
  ): Promise<readonly (LimitLeft | null)[]>;
  close(): Promise<void>;
}

export function openRateLimits({
  trustDomain,
  resources,
  authenticate,
  announce = () => {},
  log,
}: RateLimitsOptions): RateLimits {
  const settings = new WatchedValue<RateLimitSettings>(
    meshSettingsOf(resources.current).rateLimits,
  );
  const stop = resources.onChange((next) => settings.set(meshSettingsOf(next).rateLimits));
  const told: Log = {
    ...announcedLog(log, announce),
    info: (message, fields) => {
      log.info(message, fields); // whoever heard that Redis is away wants to hear that it is back
      announce(message);
    },
  };
  const counters = openCounters({ settings, domain: trustDomain, log: told });
  const identify: Parameters<typeof rateLimitService>[0]["identify"] = async (caller) => {
    const { id, by } = await authenticate(caller);
    if (by === "certificate") return id;
    throw new UnauthenticatedCallerError("a token does not count");
  };
  return {
    serve: (views) => rateLimitService({ trustDomain, views, identify, counters, log }),
    left: (asked, views) => countersLeft(asked, { views, counters }),
    async close() {
      stop();
      await counters.close();
    },
  };
}
