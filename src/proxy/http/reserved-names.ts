/** Names of fields that are the mesh's own to write: whoever else wrote them, in headers or behind a body, is not heard (JWT-74). */
import { leaveOutSpelt } from "./disguised-fields.ts";
import { HeldFields } from "./held-fields.ts";
import type { ReceivedFields } from "./received-message.ts";

/** Also spelt with underscores. @param names in lower case */
export function removeReserved(fields: HeldFields, names: readonly string[]): void {
  if (names.length === 0) return;
  for (const name of names) fields.remove(name);
  leaveOutSpelt(fields, names);
}

/** Gives a copy without them to `use`, for as long as it runs. */
export function withoutReserved(
  received: ReceivedFields,
  names: readonly string[],
  use: (left: ReceivedFields) => void,
): void {
  const fields = HeldFields.borrow();
  try {
    fields.load(received);
    removeReserved(fields, names);
    use(fields);
  } finally {
    fields.release();
  }
}
