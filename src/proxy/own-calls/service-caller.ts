/** Calls that the sidecar makes itself, by the same way as those of its application: balancing, health, mutual TLS. */
import type { OwnAnswer, OwnCall, OwnRequest, ServicePlace } from "./own-call.ts";
import { ServiceCall } from "./service-call.ts";
import { ServiceWays, type ServiceWaysOptions } from "./service-ways.ts";

export interface ServiceCaller {
  /** For who may lose interest in the answer. */
  begin(place: ServicePlace, request: OwnRequest): OwnCall;
  /** @throws OwnCallError */
  call(place: ServicePlace, request: OwnRequest): Promise<OwnAnswer>;
}

export function serviceCaller(options: ServiceWaysOptions): ServiceCaller {
  const ways = new ServiceWays(options);
  const begin = (place: ServicePlace, request: OwnRequest): OwnCall => {
    let call: ServiceCall | undefined;
    const answer = new Promise<OwnAnswer>((resolve, reject) => {
      const attempts = attemptsFor(ways, place, request);
      call = new ServiceCall({ request, attempts, resolve, reject });
      call.start();
    });
    return { answer, cancel: () => call?.cancel() };
  };
  return { begin, call: (place, request) => begin(place, request).answer };
}

function attemptsFor(ways: ServiceWays, place: ServicePlace, request: OwnRequest) {
  try {
    return ways.attempts(place, request.framing);
  } catch (error) {
    request.fields.release();
    throw error;
  }
}
