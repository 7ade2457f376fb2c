/** What a caller is told whom an authorizer denied: the authorizer's own words, as far as they make an answer. */
import type { Answer } from "../exchange.ts";
import type { Denied } from "./authorizer-verdict.ts";
import type { FieldChange } from "./field-changes.ts";

/** Of what the authorizer may not say: it is none of HTTP's, or would promise something. */
const FORBIDDEN = 403;
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** Of a denial whose words cannot be passed on. */
export const WORDLESS_DENIAL: Denied = {
  outcome: "denied",
  answer: { status: FORBIDDEN, body: "", headers: [] },
};

export function denial(
  status: number,
  { body, headers }: { readonly body: string; readonly headers: readonly FieldChange[] },
): Pick<Answer, "status" | "body" | "headers"> {
  const isStatus = Number.isInteger(status) && status >= 200 && status <= 599;
  const told = isStatus && !BODILESS.has(status) ? status : FORBIDDEN;
  return { status: told, body, headers: headers.flatMap(({ name, value }) => [name, value]) };
}
