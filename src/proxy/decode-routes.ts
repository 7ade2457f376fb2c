/** Reads the part of a view that says where requests and connections go: of a gateway, or of a sidecar's own calls. */
import type {
  ClaimMatch,
  HttpMatch,
  NamedMatch,
  PathMatch,
  TextMatch,
} from "../api/routing/http-match.ts";
import {
  type HeaderOperations,
  type PathRewrite,
  REDIRECT_STATUSES,
  type ResponseAction,
} from "../api/routing/route-parts.ts";
import type { ResourceOrigin } from "../policy/decision.ts";
import type { StreamRoute } from "../policy/routes/stream-route.ts";
import type {
  HttpRoute,
  RedirectAction,
  RouteAction,
  RouteDestination,
  VirtualHost,
} from "../policy/routes/virtual-host.ts";
import {
  choice,
  type Decoder,
  flag,
  integer,
  list,
  object,
  objectWith,
  section,
  text,
  trueOnly,
  unexpected,
} from "./view-fields.ts";

const millionths = integer(0, 1_000_000);
const milliseconds = integer(0, Number.MAX_SAFE_INTEGER);
const status = integer(100, 599);
const portOrAny = integer(0, 65_535);
const location = object({ file: text, line: integer(0, Number.MAX_SAFE_INTEGER) });
const reference = object({ kind: text, namespace: text, name: text });
export const resourceOrigin: Decoder<ResourceOrigin> = object({
  ref: reference,
  source: location,
});

/** One of several shapes, told apart by a field that all have. */
export function oneShape<T>(tag: string, shapes: Readonly<Record<string, Decoder<T>>>): Decoder<T> {
  return (value, path) => {
    const name = section(value, path)[tag];
    const shape =
      typeof name === "string" && Object.hasOwn(shapes, name) ? shapes[name] : undefined;
    if (shape === undefined) throw unexpected(`${path}.${tag}`, `one of ${Object.keys(shapes)}`);
    return shape(value, path);
  };
}

const textMatch = oneShape<TextMatch>("kind", {
  exact: object({ kind: choice(["exact"]), text }),
  prefix: object({ kind: choice(["prefix"]), text }),
  pattern: object({ kind: choice(["pattern"]), pattern: text }),
});
const letterCase = { letterCase: choice(["ignored"]) };
const pathMatch = oneShape<PathMatch>("kind", {
  exact: objectWith({ kind: choice(["exact"]), path: text }, letterCase),
  prefix: objectWith({ kind: choice(["prefix"]), path: text }, letterCase),
  segments: objectWith({ kind: choice(["segments"]), path: text }, letterCase),
  pattern: object({ kind: choice(["pattern"]), pattern: text }),
});
const textOrPresent: Decoder<TextMatch | "present"> = (value, path) =>
  value === "present" ? value : textMatch(value, path);
const namedMatch: Decoder<NamedMatch> = objectWith(
  { name: text, value: textOrPresent },
  { not: trueOnly },
);
const claimMatch: Decoder<ClaimMatch> = objectWith(
  { claim: list(text), value: textOrPresent },
  { not: trueOnly },
);
const httpMatch: Decoder<HttpMatch> = objectWith(
  {},
  {
    path: pathMatch,
    method: textMatch,
    authority: textMatch,
    scheme: textMatch,
    headers: list(namedMatch),
    queryParams: list(namedMatch),
    claims: list(claimMatch),
    port: portOrAny,
  },
);

const headerValue = object({ name: text, value: text });
const headerChanges = object({
  set: list(headerValue),
  add: list(headerValue),
  remove: list(text),
});
const headers: Decoder<HeaderOperations> = objectWith(
  {},
  { request: headerChanges, response: headerChanges },
);
const pathRewrite = oneShape<PathRewrite>("do", {
  "replace-prefix": object({ do: choice(["replace-prefix"]), prefix: text }),
  "replace-path": object({ do: choice(["replace-path"]), path: text }),
  "replace-pattern": object({
    do: choice(["replace-pattern"]),
    pattern: text,
    substitution: text,
  }),
});

const named = { host: text, port: portOrAny };
const routeDestination: Decoder<RouteDestination> = objectWith(
  { ...named, weight: integer(1, Number.MAX_SAFE_INTEGER) },
  { subset: text, headers, authority: text, problem: text },
);
const streamDestination = objectWith(
  { ...named, weight: integer(1, Number.MAX_SAFE_INTEGER) },
  { subset: text, problem: text },
);
const unresolvedStatus: Decoder<500 | 503> = (value, path) => {
  if (value === 500 || value === 503) return value;
  throw unexpected(path, "500 or 503");
};
const retries = objectWith(
  {
    attempts: integer(1, Number.MAX_SAFE_INTEGER),
    conditions: list(text),
    statuses: list(status),
    previousEndpoints: choice(["avoided", "taken again"]),
  },
  { perTryTimeoutMs: milliseconds, backoffMs: milliseconds },
);
const redirectStatus: Decoder<RedirectAction["status"]> = (value, path) => {
  const known = REDIRECT_STATUSES.find((one) => one === value);
  if (known === undefined) throw unexpected(path, `one of ${REDIRECT_STATUSES.join(", ")}`);
  return known;
};
const ownBody: Decoder<NonNullable<ResponseAction["body"]>> = (value, path) =>
  Object.hasOwn(section(value, path), "text")
    ? object({ text })(value, path)
    : object({ base64: text })(value, path);

const action = oneShape<RouteAction>("do", {
  forward: objectWith(
    {
      do: choice(["forward"]),
      destinations: list(routeDestination),
      unresolved: unresolvedStatus,
    },
    {
      rewrite: objectWith({}, { path: pathRewrite, authority: text }),
      timeoutMs: milliseconds,
      retries,
      mirrors: list(objectWith({ ...named, millionths }, { subset: text })),
    },
  ),
  redirect: objectWith(
    { do: choice(["redirect"]), status: redirectStatus },
    {
      scheme: choice(["http", "https"]),
      authority: text,
      port: integer(1, 65_535),
      path: pathRewrite,
    },
  ),
  respond: objectWith({ do: choice(["respond"]), status }, { body: ownBody }),
});

const cors = objectWith(
  {
    allowOrigins: list(textMatch),
    allowMethods: list(text),
    allowHeaders: list(text),
    exposeHeaders: list(text),
    unmatchedPreflights: choice(["forwarded", "answered"]),
  },
  { maxAgeSeconds: milliseconds, allowCredentials: flag },
);
const faultAnswer: Decoder<{ readonly httpStatus: number } | { readonly grpcStatus: string }> = (
  value,
  path,
) =>
  Object.hasOwn(section(value, path), "httpStatus")
    ? object({ httpStatus: status })(value, path)
    : object({ grpcStatus: text })(value, path);
const fault = objectWith(
  {},
  {
    delay: object({ millionths, delayMs: milliseconds }),
    abort: object({ millionths, answer: faultAnswer }),
  },
);

const httpRoute: Decoder<HttpRoute> = objectWith(
  { origin: resourceOrigin, match: httpMatch, action },
  { name: text, headers, cors, fault },
);

export const virtualHost: Decoder<VirtualHost> = objectWith(
  { domains: list(text), routes: list(httpRoute) },
  { httpsRedirect: trueOnly },
);

export const streamRoute: Decoder<StreamRoute> = objectWith(
  { origin: resourceOrigin, destinations: list(streamDestination) },
  { hosts: list(text), serverNames: list(text), destinationSubnets: list(text), port: portOrAny },
);
