/** Which traffic a rate limit counts, and what it counts apart: the checks of both. */
import type { AuthorizationRule } from "./authorization-policy.ts";
import type { Fields } from "./decoder.ts";
import { asksOfHttp } from "./http-conditions.ts";
import type { Limit } from "./rate-limit.ts";
import { isRequestKey, limitKeyProblem } from "./rate-limit-key.ts";
import { checkAuthorizationRule } from "./webhook/authorization-policy.ts";

const MOST_RULES = 64;
const MOST_KEY_PARTS = 8;

export function checkLimitTraffic(fields: Fields, { counts, match, key }: Counting): void {
  const rules = fields.list("match");
  for (const name of ["match", "key"]) refuseEmpty(fields, name);
  if (rules.length > MOST_RULES) fields.report("match", `has more than ${MOST_RULES} rules`);
  for (const rule of rules) checkAuthorizationRule(rule);
  if (key.length > MOST_KEY_PARTS) fields.report("key", `has more than ${MOST_KEY_PARTS} parts`);
  fields.texts("key", limitKeyProblem);
  for (const [item, part] of key.entries()) {
    if (key.indexOf(part) < item) fields.report({ name: "key", item }, "is given twice");
  }
  if (counts !== "requests") refuseHttp(fields, { counts, match, key });
}

/** An empty list would be as good as none, and count all. */
function refuseEmpty(fields: Fields, name: string): void {
  if (fields.mentions(name) && fields.saysNothing(name))
    fields.report(name, "must have at least one item, or be left out");
}

function refuseHttp(fields: Fields, { counts, match, key }: Counting): void {
  for (const [item, rule] of match.entries()) {
    if (asksOfHttp(outlineOf(rule)))
      fields.report({ name: "match", item }, `asks about requests; ${counts} have none`);
  }
  for (const [item, part] of key.entries()) {
    if (isRequestKey(part))
      fields.report({ name: "key", item }, `is of requests; ${counts} have none`);
  }
}

type Counting = Pick<Limit, "counts" | "match" | "key">;

function outlineOf({ from, to, when }: AuthorizationRule): Parameters<typeof asksOfHttp>[0] {
  return {
    from: from.map((source) => Object.keys(source)),
    to: to.map((operation) => Object.keys(operation)),
    when: when.map(({ key }) => key),
  };
}
