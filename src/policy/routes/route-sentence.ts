/** What routes do, in words: for whoever asks what a gateway or a sidecar leads where. */
import type {
  ClaimMatch,
  HttpMatch,
  NamedMatch,
  PathMatch,
  TextMatch,
} from "../../api/routing/http-match.ts";
import type { RetryPolicy, Rewrite } from "../../api/routing/route-parts.ts";
import type { StreamRoute } from "./stream-route.ts";
import type { HttpRoute, RedirectAction, RouteAction, RouteDestination } from "./virtual-host.ts";

/** `GET /api and below goes to api.shop.svc.cluster.local:80` */
export function routeSentence({ match, action, fault }: HttpRoute): string {
  const which = matchInWords(match);
  if (fault?.abort === undefined) return `${which} ${actionInWords(action)}`;
  const { answer, millionths } = fault.abort;
  const status = "httpStatus" in answer ? answer.httpStatus : answer.grpcStatus;
  const aborted = `answered with ${status}, by its fault`;
  if (millionths === MILLION) return `${which} is ${aborted}`;
  return `${which} ${actionInWords(action)}, but ${millionths / 10_000} % of it is ${aborted}`;
}

const MILLION = 1_000_000;

export function streamRouteSentence({
  hosts,
  serverNames,
  destinationSubnets,
  port,
  destinations,
}: StreamRoute): string {
  const conditions = [
    ...(hosts === undefined ? [] : [`to ${hosts.join(", ")}`]),
    ...(serverNames === undefined ? [] : [`for ${serverNames.join(", ")}`]),
    ...(destinationSubnets === undefined ? [] : [`to ${destinationSubnets.join(", ")}`]),
    ...(port === undefined ? [] : [`on port ${port}`]),
  ];
  const which =
    conditions.length === 0 ? "every connection" : `connections ${conditions.join(" ")}`;
  return `${which} ${conditions.length === 0 ? "goes" : "go"} to ${destinationsInWords(destinations)}`;
}

function matchInWords(match: HttpMatch): string {
  const { method, path, authority, scheme, port } = match;
  const first = [
    ...(method === undefined ? [] : [textInWords(method)]),
    ...(path === undefined ? [] : [pathInWords(path)]),
  ];
  const conditions = [
    ...(authority === undefined ? [] : [`authority ${textInWords(authority)}`]),
    ...(scheme === undefined ? [] : [`scheme ${textInWords(scheme)}`]),
    ...(match.headers ?? []).map((one) => `header ${namedInWords(one)}`),
    ...(match.queryParams ?? []).map((one) => `parameter ${namedInWords(one)}`),
    ...(match.claims ?? []).map((one) => `claim ${claimInWords(one)}`),
    ...(port === undefined ? [] : [`port ${port}`]),
  ];
  const what = first.length === 0 ? "everything" : first.join(" ");
  return conditions.length === 0 ? what : `${what} with ${conditions.join(" and ")}`;
}

function pathInWords(path: PathMatch): string {
  const ignored = path.kind !== "pattern" && path.letterCase === "ignored" ? " in any case" : "";
  switch (path.kind) {
    case "exact":
      return `${path.path}${ignored}`;
    case "prefix":
      return `${path.path}*${ignored}`;
    case "segments":
      return `${path.path === "" ? "/" : path.path} and below${ignored}`;
    case "pattern":
      return `paths like ${path.pattern}`;
  }
}

function textInWords(match: TextMatch | "present"): string {
  if (match === "present") return "of any value";
  if (match.kind === "pattern") return `like ${match.pattern}`;
  return match.kind === "exact" ? match.text : `${match.text}*`;
}

function namedInWords({ name, value, not }: NamedMatch): string {
  if (not)
    return value === "present" ? `${name} absent` : `${name} other than ${textInWords(value)}`;
  return `${name} ${textInWords(value)}`;
}

/** A claim's values tell of persons, and are left to whoever may see the files. */
function claimInWords({ claim, not }: ClaimMatch): string {
  return `${claim.join(".")} ${not ? "other than" : "as"} the route says`;
}

function actionInWords(action: RouteAction): string {
  switch (action.do) {
    case "respond":
      return `is answered with ${action.status}`;
    case "redirect":
      return `is redirected with ${action.status} to ${redirectInWords(action)}`;
    case "forward": {
      const { destinations, unresolved, rewrite, timeoutMs, retries } = action;
      if (destinations.length === 0) return `goes nowhere, and is answered with ${unresolved}`;
      const remarks = [
        ...(rewrite === undefined ? [] : [rewriteInWords(rewrite)]),
        ...(timeoutMs === undefined ? [] : [`within ${timeoutMs} ms`]),
        ...(retries === undefined ? ["without retries"] : retriesInWords(retries)),
      ];
      return [`goes to ${destinationsInWords(destinations)}`, ...remarks].join(", ");
    }
  }
}

function redirectInWords({ scheme, authority, port, path }: RedirectAction): string {
  const parts = [
    ...(scheme === undefined ? [] : [`scheme ${scheme}`]),
    ...(authority === undefined ? [] : [`host ${authority}`]),
    ...(port === undefined ? [] : [`port ${port}`]),
    ...(path === undefined ? [] : [rewriteInWords({ path })]),
  ];
  return parts.join(", ") || "itself";
}

function rewriteInWords({ path, authority }: Rewrite): string {
  const parts = [
    ...(path?.do === "replace-prefix"
      ? [`the matched path replaced by ${path.prefix || "/"}`]
      : []),
    ...(path?.do === "replace-path" ? [`the path replaced by ${path.path}`] : []),
    ...(path?.do === "replace-pattern" ? [`${path.pattern} replaced by ${path.substitution}`] : []),
    ...(authority === undefined ? [] : [`as ${authority}`]),
  ];
  return parts.join(", ");
}

/** What every route has is not told. */
function retriesInWords({ attempts, perTryTimeoutMs }: RetryPolicy): readonly string[] {
  const each = perTryTimeoutMs === undefined ? "" : ` of ${perTryTimeoutMs} ms`;
  return attempts === USUAL_RETRIES && each === "" ? [] : [`${attempts} retries${each}`];
}

const USUAL_RETRIES = 2;

function destinationsInWords(
  destinations: readonly Pick<
    RouteDestination,
    "host" | "port" | "subset" | "weight" | "problem"
  >[],
): string {
  const total = destinations.reduce((sum, { weight }) => sum + weight, 0);
  return destinations
    .map(({ host, port, subset, weight, problem }) => {
      const target = `${host}${port === 0 ? "" : `:${port}`}`;
      const share = destinations.length === 1 ? "" : ` (${Math.round((100 * weight) / total)} %)`;
      const which = subset === undefined ? "" : ` subset ${subset}`;
      return `${target}${which}${share}${problem === undefined ? "" : `, which is refused: ${problem}`}`;
    })
    .join(" or ");
}
