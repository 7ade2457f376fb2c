/** What a route changes of headers, in Envoy's terms. */
import type { HeaderChanges, HeaderOperations } from "../../api/routing/route-parts.ts";

/** Fields of a route, or of one of its weighted clusters. */
export function headerChanges(
  operations: readonly (HeaderOperations | undefined)[],
): Readonly<Record<string, unknown>> {
  const request = merged(operations.map((one) => one?.request));
  const response = merged(operations.map((one) => one?.response));
  return {
    ...(request.added.length > 0 && { requestHeadersToAdd: request.added }),
    ...(request.removed.length > 0 && { requestHeadersToRemove: request.removed }),
    ...(response.added.length > 0 && { responseHeadersToAdd: response.added }),
    ...(response.removed.length > 0 && { responseHeadersToRemove: response.removed }),
  };
}

interface Merged {
  readonly added: readonly object[];
  readonly removed: readonly string[];
}

/** Envoy removes first: what one of them removes after it was set or added is never set or added. */
function merged(changes: readonly (HeaderChanges | undefined)[]): Merged {
  let added: readonly AddedHeader[] = [];
  const removed = new Set<string>();
  for (const change of changes) {
    if (change === undefined) continue;
    const gone = new Set(change.remove);
    added = [
      ...added,
      ...change.set.map((header): AddedHeader => ({ ...header, how: OVERWRITE })),
      ...change.add.map((header): AddedHeader => ({ ...header, how: APPEND })),
    ].filter(({ name }) => !gone.has(name));
    for (const name of gone) removed.add(name);
  }
  return { added: added.map(headerOption), removed: [...removed] };
}

const OVERWRITE = "OVERWRITE_IF_EXISTS_OR_ADD";
const APPEND = "APPEND_IF_EXISTS_OR_ADD";

interface AddedHeader {
  readonly name: string;
  readonly value: string;
  readonly how: typeof OVERWRITE | typeof APPEND;
}

/** envoy.config.core.v3.HeaderValueOption; what stands in a value is meant as it stands. */
function headerOption({ name, value, how }: AddedHeader): object {
  return {
    header: { key: name, value: value.replaceAll("%", "%%") },
    appendAction: how,
    ...(value === "" && { keepEmptyValue: true }),
  };
}
