/**
 * What is wrong with the `extensionProviders` of a mesh configuration (VAL-70..VAL-74). Istio tells most of it in its
 * log and refuses only the requests of the policies that name such a provider; here the file is mended first.
 */
import type { Fields } from "./decoder.ts";
import {
  EXTENSION_PROVIDER_KINDS,
  type ExtensionProviderKind,
} from "./extension-provider-schema.ts";
import { quoted } from "./quoted.ts";
import { checkDuration } from "./webhook/duration.ts";
import { hostNameProblem, isAddress } from "./webhook/host-name.ts";
import { namespacedHostProblem } from "./webhook/namespaced-host.ts";
import { portNumberProblem } from "./webhook/port.ts";
import { requestUriScheme } from "./webhook/request-uri.ts";
import { numberIn, textIn, textsIn } from "./webhook/written-values.ts";

/** Kinds that are no service to be reached. */
const WITHOUT_SERVICE: readonly ExtensionProviderKind[] = [
  "prometheus",
  "stackdriver",
  "envoyFileAccessLog",
  "sds",
];
const HEADER_FIELDS = [
  "includeRequestHeadersInCheck",
  "includeHeadersInCheck",
  "headersToUpstreamOnAllow",
  "headersToDownstreamOnDeny",
  "headersToDownstreamOnAllow",
];
/** AP-124 */
const AUTHORIZER_NAME = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

export function checkExtensionProviders(config: Fields): void {
  const names = new Set<string>();
  for (const provider of config.list("extensionProviders")) {
    checkName(provider, names);
    const kind = EXTENSION_PROVIDER_KINDS.find((name) => provider.has(name));
    if (kind === undefined) {
      provider.reportHere("says nothing of what it is, such as envoyExtAuthzHttp");
    } else {
      checkKind(provider, kind);
    }
  }
}

/** VAL-70 */
function checkName(provider: Fields, names: Set<string>): void {
  const name = textIn(provider, "name");
  if (name === "") provider.report("name", "is missing: a provider needs a name");
  else if (names.has(name)) provider.report("name", `${quoted(name)} is the name of two providers`);
  names.add(name);
}

function checkKind(provider: Fields, kind: ExtensionProviderKind): void {
  const fields = provider.section(kind);
  if (kind === "sds") provider.notice("sds", "is a kind that Istio itself does not support");
  if (!WITHOUT_SERVICE.includes(kind)) checkServer(fields);
  if (kind === "lightstep" && textIn(fields, "accessToken") === "") {
    fields.report("accessToken", "is missing");
  }
  if (kind === "opentelemetry" && fields.has("grpc") && fields.has("http")) {
    fields.report("http", "must not be given together with grpc");
  }
  if (kind === "envoyExtAuthzHttp") checkHttpAuthorizer(fields);
  if (kind === "envoyExtAuthzHttp" || kind === "envoyExtAuthzGrpc") {
    checkAuthorizerName(provider);
    checkAuthorizer(fields);
  }
}

/** VAL-71 */
function checkServer(fields: Fields): void {
  const port = portNumberProblem(numberIn(fields, "port"));
  if (port !== undefined) fields.report("port", fields.has("port") ? port : "is missing");
  const service = textIn(fields, "service");
  const problem = service === "" ? "is missing" : serviceProblem(service);
  if (problem !== undefined) fields.report("service", problem);
}

function serviceProblem(service: string): string | undefined {
  if (service.includes("/")) return namespacedHostProblem(service, "sidecar");
  return isAddress(service) ? undefined : hostNameProblem(service);
}

function checkAuthorizerName(provider: Fields): void {
  const name = textIn(provider, "name");
  if (name === "" || AUTHORIZER_NAME.test(name)) return;
  provider.report(
    "name",
    `${quoted(name)} cannot be named by policies: at most 63 lower case letters, digits and "-" between them`,
  );
}

/** VAL-72, VAL-73 */
function checkAuthorizer(fields: Fields): void {
  checkDuration(fields, "timeout");
  const status = textIn(fields, "statusOnError");
  if (status !== "" && !isKnownStatus(status)) {
    fields.report(
      "statusOnError",
      `${quoted(status)} is not an HTTP status; expected "403" or such`,
    );
  }
  const body = fields.section("includeRequestBodyInCheck");
  if (fields.has("includeRequestBodyInCheck") && numberIn(body, "maxRequestBytes") === 0) {
    body.report("maxRequestBytes", "is missing: it must be more than 0");
  }
}

/** VAL-72 */
function checkHttpAuthorizer(fields: Fields): void {
  const prefix = textIn(fields, "pathPrefix");
  if (prefix !== "" && !prefix.startsWith("/")) {
    fields.report("pathPrefix", `${quoted(prefix)} does not begin with "/"`);
  } else if (prefix !== "" && requestUriScheme(prefix) === undefined) {
    const problem = "is not a path: it has a control character or a broken escape";
    fields.report("pathPrefix", `${quoted(prefix)} ${problem}`);
  }
  for (const name of HEADER_FIELDS) {
    const item = textsIn(fields, name).indexOf("*");
    if (item < 0) continue;
    fields.report({ name, item }, `"*" alone is not supported; write the start or end of a name`);
  }
}

/** Those that Envoy has a name for. */
const KNOWN_STATUSES: ReadonlySet<number> = new Set([
  ...[100, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226],
  ...[300, 301, 302, 303, 304, 305, 307, 308],
  ...[400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417],
  ...[421, 422, 423, 424, 426, 428, 429, 431],
  ...[500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511],
]);

function isKnownStatus(text: string): boolean {
  return /^\+?[0-9]+$/.test(text) && KNOWN_STATUSES.has(Number(text));
}
