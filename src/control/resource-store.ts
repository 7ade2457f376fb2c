/** The resources in force. A set with any issue never replaces a good one: a broken DENY must not open a door. */
import type { ParsedResources } from "../api/parse-resources.ts";
import type { Issue, Resource } from "../api/resource.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";

export class ResourceStore {
  readonly #resources: WatchedValue<readonly Resource[]>;
  readonly #reportRefusal: (issues: readonly Issue[]) => void;

  /** @param reportRefusal hears the issues of every set that is refused */
  constructor(initial: readonly Resource[], reportRefusal: (issues: readonly Issue[]) => void) {
    this.#resources = new WatchedValue(initial);
    this.#reportRefusal = reportRefusal;
  }

  get resources(): Watched<readonly Resource[]> {
    return this.#resources;
  }

  /** Takes over a freshly read set, or reports every issue and keeps the last good one. */
  offer({ resources, issues }: ParsedResources): "taken" | "refused" {
    if (issues.length > 0) {
      this.#reportRefusal(issues);
      return "refused";
    }
    this.#resources.set(resources);
    return "taken";
  }
}
