/**
 * What a rate limit counts apart, as an expression of CEL over Envoy's attributes: the same text for the same caller as our
 * own sidecars make of it (`LimitKey`), and "" for whoever lacks it, so that nobody passes by a limit by leaving it out.
 */

const HEADER = /^request\.headers\[([!#$%&'*+.^_`|~0-9A-Za-z-]+)\]$/;
const CLAIM = /^request\.auth\.claims((?:\[[^[\]]+\])+)$/;
const PAYLOAD = "metadata.filter_metadata['envoy.filters.http.jwt_authn']['payload']";

/** @returns undefined where Envoy has no attribute for some part */
export function limitKeyExpression(key: readonly string[]): string | undefined {
  const parts = key.map(partExpression);
  if (!parts.every((part) => part !== undefined)) return undefined;
  const [only] = parts;
  if (parts.length <= 1) return only ?? "''";
  const isEmpty = parts.map((part) => `(${part}) == ''`).join(" && ");
  // Each with its length before it, so that no key is put together so that it stands for another.
  const joined = parts.map((part) => `string(size(${part})) + ':' + (${part})`).join(" + ");
  return `(${isEmpty}) ? '' : (${joined})`;
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  "source.principal": orEmpty("connection.uri_san_peer_certificate"),
  "destination.port": "string(destination.port)",
  "request.path": orEmpty("request.url_path"),
  "request.method": orEmpty("request.method"),
  "request.host": orEmpty("request.host"),
  "request.auth.principal": principal(),
};

function partExpression(part: string): string | undefined {
  if (Object.hasOwn(ATTRIBUTES, part)) return ATTRIBUTES[part];
  const [, header] = HEADER.exec(part) ?? [];
  if (header !== undefined) return headerExpression(header.toLowerCase());
  const [, claims] = CLAIM.exec(part) ?? [];
  return claims === undefined ? undefined : claimExpression(claims);
}

function headerExpression(name: string): string {
  const quotedName = quoted(name === "host" ? ":authority" : name);
  return `(${quotedName} in request.headers) ? request.headers[${quotedName}] : ''`;
}

/** A number is an account as well as a text is; of lists and objects there is no text. */
function claimExpression(claims: string): string {
  const names = [...claims.matchAll(/\[([^[\]]+)\]/g)].map(([, name = ""]) => quoted(name));
  const found = `${PAYLOAD}${names.map((name) => `[${name}]`).join("")}`;
  return textOf(found, presence(names));
}

function principal(): string {
  const [issuer, subject] = ["'iss'", "'sub'"].map((name) =>
    textOf(`${PAYLOAD}[${name}]`, presence([name])),
  );
  return `((${issuer}) == '' || (${subject}) == '') ? '' : ((${issuer}) + '/' + (${subject}))`;
}

function presence(names: readonly string[]): string {
  let place = PAYLOAD;
  const conditions = ["'envoy.filters.http.jwt_authn' in metadata.filter_metadata"];
  for (const name of names) {
    conditions.push(`type(${place}) == map`, `${name} in ${place}`);
    place += `[${name}]`;
  }
  return conditions.slice(0, 1).concat(conditions.slice(2)).join(" && ");
}

function textOf(found: string, isThere: string): string {
  return `(${isThere}) ? (type(${found}) == string ? ${found} : ((type(${found}) == double || type(${found}) == bool) ? string(${found}) : '')) : ''`;
}

function orEmpty(attribute: string): string {
  return `has(${attribute}) ? ${attribute} : ''`;
}

/** A text of CEL: what could end it, or be an escape in it, is one. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}'`;
}
