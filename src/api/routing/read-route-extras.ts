/** CORS, faults and mirrors of a route of a VirtualService. The schema and the webhook have checked their form. */
import type { Fields } from "../decoder.ts";
import { durationMsIn } from "../duration-ms-in.ts";
import { flagIn, numberIn, textIn, textsIn } from "../webhook/written-values.ts";
import type { TextMatch } from "./http-match.ts";
import { textMatch } from "./read-http-match.ts";
import { millionths, percentageIn } from "./read-route-parts.ts";
import type { CorsPolicy, FaultInjection } from "./route-parts.ts";

export function corsPolicy(route: Fields): CorsPolicy | undefined {
  if (!route.has("corsPolicy")) return undefined;
  const cors = route.section("corsPolicy");
  const maxAgeMs = durationMsIn(cors, "maxAge");
  return {
    allowOrigins: allowedOrigins(cors),
    allowMethods: textsIn(cors, "allowMethods"),
    allowHeaders: textsIn(cors, "allowHeaders"),
    exposeHeaders: textsIn(cors, "exposeHeaders"),
    ...(maxAgeMs !== undefined && { maxAgeSeconds: Math.trunc(maxAgeMs / 1_000) }),
    ...(cors.has("allowCredentials") && { allowCredentials: flagIn(cors, "allowCredentials") }),
    unmatchedPreflights:
      textIn(cors, "unmatchedPreflights") === "IGNORE" ? "answered" : "forwarded",
  };
}

function allowedOrigins(cors: Fields): readonly TextMatch[] {
  if (cors.itemCount("allowOrigins") === 0) {
    return textsIn(cors, "allowOrigin").map((text) => ({ kind: "exact", text }));
  }
  return cors.list("allowOrigins").flatMap((origin) => {
    const match = textMatch(origin);
    return match === "present" ? [] : [match];
  });
}

/** A fault without a percentage is for no request, as in Istio. */
export function faultInjection(route: Fields): FaultInjection | undefined {
  const fault = route.section("fault");
  const delay = delayOf(fault.section("delay"));
  const abort = abortOf(fault.section("abort"));
  if (delay === undefined && abort === undefined) return undefined;
  return { ...(delay && { delay }), ...(abort && { abort }) };
}

function delayOf(delay: Fields): FaultInjection["delay"] {
  delay.unused(["exponentialDelay"]);
  const delayMs = durationMsIn(delay, "fixedDelay");
  const share = percentageIn(delay) ?? millionths(numberIn(delay, "percent"));
  return delayMs === undefined || share === 0 ? undefined : { delayMs, millionths: share };
}

function abortOf(abort: Fields): FaultInjection["abort"] {
  abort.unused(["http2Error"]);
  const share = percentageIn(abort) ?? 0;
  if (share === 0) return undefined;
  const httpStatus = numberIn(abort, "httpStatus");
  const grpcStatus = textIn(abort, "grpcStatus");
  if (httpStatus > 0) return { millionths: share, answer: { httpStatus } };
  return grpcStatus === "" ? undefined : { millionths: share, answer: { grpcStatus } };
}

/** In millionths: of `mirrorPercentage`, else of `mirrorPercent`, else all. */
export function mirroredShare(route: Fields): number {
  if (route.has("mirrorPercentage")) {
    return millionths(numberIn(route.section("mirrorPercentage"), "value"));
  }
  const older = ["mirrorPercent", "mirror_percent"].find((name) => route.has(name));
  return millionths(older === undefined ? 100 : numberIn(route, older));
}
