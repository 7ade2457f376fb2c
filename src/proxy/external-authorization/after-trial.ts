/** Tells of a request once authorizers on trial have answered: what is only lent until it is over is kept as long. */
import type { Outcome } from "../exchange.ts";
import { HeldFields } from "../http/held-fields.ts";

/** @param trial never rejects */
export async function afterTrial(
  trial: Promise<void>,
  { responseHeaders, ...outcome }: Outcome,
  tell: (kept: Outcome) => void,
): Promise<void> {
  const kept = responseHeaders instanceof HeldFields ? copyOf(responseHeaders) : undefined;
  await trial;
  tell(kept === undefined ? outcome : { ...outcome, responseHeaders: kept });
  kept?.release();
}

function copyOf(fields: HeldFields): HeldFields {
  const copy = HeldFields.borrow();
  copy.load(fields);
  return copy;
}
