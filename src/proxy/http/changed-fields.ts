/** The fields of an answer that is not passed on as it came. */
import { HeldFields } from "./held-fields.ts";
import type { ReceivedFields } from "./received-message.ts";

export interface AnswerChanges {
  /** What its route says, and then whoever was asked about the request. */
  readonly change: ((fields: HeldFields) => void) | undefined;
  readonly changeAnswer: ((fields: HeldFields) => void) | undefined;
  readonly setCookie: string | undefined;
}

/** @returns to be released; undefined: there is no room for another field, and what was to go may still be there */
export function changedFields(
  received: ReceivedFields,
  { change, changeAnswer, setCookie }: AnswerChanges,
): HeldFields | undefined {
  const fields = HeldFields.borrow();
  fields.load(received);
  try {
    change?.(fields);
    changeAnswer?.(fields);
    if (setCookie !== undefined) fields.add("set-cookie", setCookie);
  } catch (error) {
    fields.release();
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
  return fields;
}
