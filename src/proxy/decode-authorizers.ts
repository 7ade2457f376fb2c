/** Reads the part of a view that says whom CUSTOM policies delegate to, and how they are asked. */
import type { AppliedAuthorizer } from "../policy/applied-authorizers.ts";
import {
  choice,
  type Decoder,
  flag,
  integer,
  list,
  mapOfTexts,
  object,
  objectWith,
  section,
  text,
} from "./view-fields.ts";

const usable = {
  name: text,
  host: text,
  port: integer(1, 65_535),
  namespace: text,
  timeoutMs: integer(0, Number.MAX_SAFE_INTEGER),
  failOpen: flag,
  statusOnError: integer(100, 599),
  clearRouteCache: flag,
};
const requestBody = object({
  maxBytes: integer(0, 2 ** 32 - 1),
  allowPartial: flag,
  packAsBytes: flag,
});

const grpc = objectWith({ ...usable, kind: choice(["grpc"]) }, { requestBody });
const http = objectWith(
  {
    ...usable,
    kind: choice(["http"]),
    pathPrefix: text,
    requestHeaders: list(text),
    additionalHeaders: mapOfTexts,
    headersToUpstreamOnAllow: list(text),
    headersToDownstreamOnDeny: list(text),
    headersToDownstreamOnAllow: list(text),
  },
  { requestBody },
);
const unusable = object({ kind: choice(["unusable"]), name: text, problem: text });

export const appliedAuthorizer: Decoder<AppliedAuthorizer> = (value, path) => {
  switch (section(value, path)["kind"]) {
    case "grpc":
      return grpc(value, path);
    case "http":
      return http(value, path);
    default:
      return unusable(value, path);
  }
};
