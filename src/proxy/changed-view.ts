/** A view of which only the changes came: what is held already, with them. */
import type { WorkloadView } from "../policy/workload-view.ts";
import type { PackedView } from "../wire/workload-view-message.ts";
import { readWorkloadView } from "./decode-workload-view.ts";
import { keptPolicies } from "./kept-policies.ts";
import { InvalidWorkloadViewError, list, object, section, text } from "./view-fields.ts";

/** A view that was taken over, and its version. */
export interface HeldView {
  readonly view: WorkloadView;
  readonly version: string;
}

const changes = object({ base: text, gone: list(text), changed: section });

/** @throws InvalidWorkloadViewError for changes of another view than the one held, and for what is no view with them */
export function changedView({ json }: PackedView, held: HeldView | undefined): WorkloadView {
  const { base, gone, changed } = changes(parse(json), "changes");
  if (base !== held?.version)
    throw new InvalidWorkloadViewError(`these are changes of ${base}, which is not held`);
  const inbound = changed["inbound"] && keptPolicies(held.view.inbound, changed["inbound"]);
  const fields = Object.entries({ ...held.view, ...changed, ...(inbound ? { inbound } : {}) });
  return readWorkloadView(Object.fromEntries(fields.filter(([name]) => !gone.includes(name))));
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new InvalidWorkloadViewError("the changes are not JSON", { cause });
  }
}
