/** What an application is told of a verified token, in headers that no client may write itself (JWT-72..JWT-75). */
import type { ReadToken } from "../jwt/read-token.ts";
import type { AppliedTokenRule } from "../policy/workload-view.ts";
import type { HeldFields } from "./http/held-fields.ts";

type Outputs = Pick<AppliedTokenRule, "outputPayloadToHeader" | "outputClaimToHeaders">;

/** In lower case, each once. */
export function outputHeaders(rules: readonly Outputs[]): readonly string[] {
  const names = rules.flatMap(({ outputPayloadToHeader, outputClaimToHeaders }) => [
    ...(outputPayloadToHeader === undefined ? [] : [outputPayloadToHeader]),
    ...outputClaimToHeaders.map(({ header }) => header),
  ]);
  return [...new Set(names.map((name) => name.toLowerCase()))].filter((name) => NAME.test(name));
}

/** What cannot be said in a header is not said. */
export function writeOutputs(
  headers: HeldFields,
  token: ReadToken,
  { outputPayloadToHeader, outputClaimToHeaders }: Outputs,
): void {
  if (outputPayloadToHeader !== undefined && NAME.test(outputPayloadToHeader))
    headers.set(outputPayloadToHeader.toLowerCase(), token.encodedPayload);
  for (const { header, claim } of outputClaimToHeaders.slice(0, MAX_CLAIMS)) {
    const value = headerValue(claimIn(token.payload, claim));
    if (value !== undefined && NAME.test(header)) headers.set(header.toLowerCase(), value);
  }
}

/** RFC 9110 section 5.6.2 */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Of one rule: there is no room for any number of headers. */
const MAX_CLAIMS = 16;

/** JWT-75: each `.` leads one object down. */
function claimIn(payload: ReadToken["payload"], claim: string): unknown {
  let value: unknown = payload;
  for (const name of claim.split(".")) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const entries: ReadonlyMap<string, unknown> = new Map(Object.entries(value));
    value = entries.get(name);
  }
  return value;
}

/** RFC 9110 section 5.5; what is not ASCII goes as the bytes of UTF-8. */
const FIELD_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

function headerValue(claim: unknown): string | undefined {
  if (typeof claim === "boolean") return String(claim);
  // Beyond what a number holds exactly it would be another one.
  if (typeof claim === "number")
    return Number.isInteger(claim) && !Number.isSafeInteger(claim) ? undefined : String(claim);
  if (typeof claim !== "string") return undefined;
  const text = Buffer.from(claim.trim(), "utf8").toString("latin1");
  return FIELD_TEXT.test(text) ? text : undefined;
}
