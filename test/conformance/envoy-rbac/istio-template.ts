/** Envoy's templates of paths in the words of AuthorizationPolicy: its names for operators have no meaning to a policy. */

const OPERATORS: ReadonlyMap<string, string> = new Map([
  ["*", "{*}"],
  ["**", "{**}"],
]);
const VARIABLE = /^\{([a-zA-Z][a-zA-Z0-9_]{0,15})(?:=(\*{1,2}))?\}$/;
const MAX_VARIABLES = 5;

/** @returns undefined when a segment cannot be said */
export function istioTemplate(template: string): string | undefined {
  const segments = template.split("/").map(istioSegment);
  const names = [...template.matchAll(/\{([^=}]*)/g)].map(([, name = ""]) => name);
  if (segments.includes(undefined)) return undefined;
  if (names.length > MAX_VARIABLES || new Set(names).size < names.length) return undefined;
  return segments.join("/");
}

function istioSegment(segment: string): string | undefined {
  const operator = OPERATORS.get(segment);
  if (operator !== undefined) return operator;
  const [whole, , kind = "*"] = VARIABLE.exec(segment) ?? [];
  if (whole !== undefined) return OPERATORS.get(kind);
  return /[*{}]/.test(segment) ? undefined : segment;
}
