/** The resources in force. A set with any issue never replaces a good one: a broken DENY must not open a door. */
import type { ParsedResources } from "../api/parse-resources.ts";
import type { Resource } from "../api/resource.ts";
import { formatLocation } from "../api/resource.ts";
import type { Log } from "../runtime/log.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";

export class ResourceStore {
  readonly #resources: WatchedValue<readonly Resource[]>;
  readonly #log: Log;
  constructor(initial: readonly Resource[], log: Log) {
    this.#resources = new WatchedValue(initial);
    this.#log = log;
  }

  get resources(): Watched<readonly Resource[]> {
    return this.#resources;
  }

  /** Takes over a freshly read set, or logs every issue and keeps the last good one. */
  offer({ resources, issues }: ParsedResources): "taken" | "refused" {
    for (const { source, path, problem } of issues) {
      this.#log.error("resource refused", { at: formatLocation(source), path, problem });
    }
    if (issues.length > 0) {
      this.#log.error("the last good resources stay in force", { issues: issues.length });
      return "refused";
    }
    this.#resources.set(resources);
    return "taken";
  }
}
