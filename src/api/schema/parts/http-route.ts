/** The HTTP routes of a VirtualService, and what they do to a request. */

import { duration } from "../duration.ts";
import {
  choice,
  double,
  flag,
  int32,
  type ListSchema,
  list,
  mapOf,
  type ObjectSchema,
  object,
  text,
  uint32,
} from "../schema.ts";
import { destination } from "./destination.ts";
import { httpMatch, stringMatch } from "./http-match.ts";

export const headerOperations: ObjectSchema = object({
  request: object({ add: mapOf(text()), remove: list(text()), set: mapOf(text()) }),
  response: object({ add: mapOf(text()), remove: list(text()), set: mapOf(text()) }),
});

export const corsPolicy: ObjectSchema = object({
  allowCredentials: flag({ nullable: true }),
  allowHeaders: list(text()),
  allowMethods: list(text()),
  allowOrigin: list(text()),
  allowOrigins: list(stringMatch),
  exposeHeaders: list(text()),
  maxAge: duration,
  unmatchedPreflights: choice(["UNSPECIFIED", "FORWARD", "IGNORE"]),
});

export const httpFault: ObjectSchema = object({
  abort: object(
    {
      grpcStatus: text(),
      http2Error: text(),
      httpStatus: int32(),
      percentage: object({ value: double() }),
    },
    { atMostOneOf: [["httpStatus", "grpcStatus", "http2Error"]] },
  ),
  delay: object(
    {
      exponentialDelay: duration,
      fixedDelay: duration,
      percent: int32(),
      percentage: object({ value: double() }),
    },
    { atMostOneOf: [["fixedDelay", "exponentialDelay"]] },
  ),
});

export const httpRedirect: ObjectSchema = object(
  {
    authority: text(),
    derivePort: choice(["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"]),
    port: uint32(),
    prefixRewrite: text(),
    redirectCode: uint32(),
    scheme: text(),
    uri: text(),
  },
  { atMostOneOf: [["port", "derivePort"]] },
);

export const httpRetries: ObjectSchema = object({
  attempts: int32(),
  backoff: duration,
  perTryTimeout: duration,
  retryIgnorePreviousHosts: flag({ nullable: true }),
  retryOn: text(),
  retryRemoteLocalities: flag({ nullable: true }),
});

export const httpDestinations: ListSchema = list(
  object(
    { destination, headers: headerOperations, weight: int32() },
    { required: ["destination"] },
  ),
);

export const directResponse: ObjectSchema = object(
  {
    body: object(
      { bytes: text({ format: "base64" }), string: text() },
      { atMostOneOf: [["string", "bytes"]] },
    ),
    status: uint32(),
  },
  { required: ["status"] },
);

export const httpRewrite: ObjectSchema = object({
  authority: text(),
  uri: text(),
  uriRegexRewrite: object({ match: text(), rewrite: text() }),
});

export const httpRoutes: ListSchema = list(
  object({
    corsPolicy,
    delegate: object({ name: text(), namespace: text() }),
    directResponse,
    fault: httpFault,
    headers: headerOperations,
    match: httpMatch,
    mirror: destination,
    mirror_percent: uint32({ nullable: true }),
    mirrorPercent: uint32({ nullable: true }),
    mirrorPercentage: object({ value: double() }),
    mirrors: list(
      object(
        { destination, percentage: object({ value: double() }) },
        { required: ["destination"] },
      ),
    ),
    name: text(),
    redirect: httpRedirect,
    retries: httpRetries,
    rewrite: httpRewrite,
    route: httpDestinations,
    timeout: duration,
  }),
);
