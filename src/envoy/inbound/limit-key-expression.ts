/**
 * What a rate limit counts apart, as expressions of CEL over Envoy's attributes: the same text for the same caller as our
 * own sidecars make of it (`LimitKey`), and "" for whoever lacks it, so that nobody passes by a limit by leaving it out.
 * Envoy makes no text of a number: claims that are numbers count as if they were not there.
 */

/** On which port connections to a container's port arrive, for those that are declared. */
export type ArrivalPorts = ReadonlyMap<number, number>;

const HEADER = /^request\.headers\[([!#$%&'*+.^_`|~0-9A-Za-z-]+)\]$/;
const CLAIM = /^request\.auth\.claims((?:\[[^[\]]+\])+)$/;
const TOKENS = "'envoy.filters.http.jwt_authn'";
const PAYLOAD = `metadata.filter_metadata[${TOKENS}]['payload']`;

/** @returns for each part its expression; undefined where Envoy has no attribute for some part */
export function limitKeyExpressions(
  key: readonly string[],
  ports: ArrivalPorts,
): readonly string[] | undefined {
  const parts = key.map((part) => partExpression(part, ports));
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  "source.principal": orEmpty("connection.uri_san_peer_certificate"),
  "request.path": orEmpty("request.url_path"),
  "request.method": orEmpty("request.method"),
  "request.host": orEmpty("request.host"),
  "request.auth.principal": tokenPrincipal(),
};

function partExpression(part: string, ports: ArrivalPorts): string | undefined {
  if (Object.hasOwn(ATTRIBUTES, part)) return ATTRIBUTES[part];
  if (part === "destination.port") return portExpression(ports);
  const [, header] = HEADER.exec(part) ?? [];
  if (header !== undefined) return headerExpression(header.toLowerCase());
  const [, claims = ""] = CLAIM.exec(part) ?? [];
  const names = [...claims.matchAll(/\[([^[\]]+)\]/g)].map(([, name = ""]) => name);
  return names.length === 0 ? undefined : claimExpression(names);
}

/** By the numbers that there can be. */
function portExpression(ports: ArrivalPorts): string {
  return [...ports].reduce(
    (otherwise, [containerPort, arrival]) =>
      `(destination.port == ${arrival} ? '${containerPort}' : ${otherwise})`,
    "''",
  );
}

function headerExpression(name: string): string {
  const field = quoted(name === "host" ? ":authority" : name);
  return `(${field} in request.headers ? request.headers[${field}] : '')`;
}

/** Each name leads one object down. */
function claimExpression(names: readonly string[]): string {
  const there = [`${TOKENS} in metadata.filter_metadata`];
  let place = PAYLOAD;
  for (const [depth, name] of names.entries()) {
    if (depth > 0) there.push(`type(${place}) == map`);
    there.push(`${quoted(name)} in ${place}`);
    place += `[${quoted(name)}]`;
  }
  there.push(`type(${place}) == string`);
  return `(${there.join(" && ")} ? ${place} : '')`;
}

function tokenPrincipal(): string {
  const [issuer, subject] = ["iss", "sub"].map((name) => claimExpression([name]));
  return `(${issuer} == '' || ${subject} == '' ? '' : ${issuer} + '/' + ${subject})`;
}

function orEmpty(attribute: string): string {
  return `(has(${attribute}) ? ${attribute} : '')`;
}

/** A text of CEL: what could end it, or be an escape in it, is one. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}'`;
}
