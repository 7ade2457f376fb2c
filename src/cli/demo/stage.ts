/** The example mesh as the demo's rows use it: give an order to a program, find what a sidecar wrote about it. */
import { join } from "node:path";
import type { DataDirectory } from "../../local/data-directory.ts";
import type { LocalMesh } from "../../local/local-mesh.ts";
import type { Workload } from "../../policy/workload.ts";
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import type { StartedMesh } from "../start-mesh.ts";
import { findLogLine, type LineSearch, type LogLine } from "./log-search.ts";
import { giveOrder, type Order, type Outcome } from "./order-client.ts";

/** How long a sidecar may take to write its log line. */
const LOG_PATIENCE_MS = 3_000;

export class Stage {
  readonly #mesh: LocalMesh;
  readonly #data: DataDirectory;

  constructor({ mesh, dataDirectory }: StartedMesh) {
    this.#mesh = mesh;
    this.#data = dataDirectory;
  }

  /** @param owner the Deployment's name */
  workload(owner: string): Workload {
    const found = this.#mesh.workloads.find((workload) => workload.owner === owner);
    if (found === undefined) throw new Error(`the example has no workload ${owner}`);
    return found;
  }

  order(owner: string, order: Order): Promise<Outcome> {
    return giveOrder(this.#data.scratch(this.workload(owner)), order);
  }

  accessEntry(
    owner: string,
    matches: (entry: AccessLogEntry) => boolean,
  ): Promise<AccessLogEntry | undefined> {
    return this.#find<AccessLogEntry>(owner, "access.log", { matches, withinMs: LOG_PATIENCE_MS });
  }

  sidecarLine(
    owner: string,
    matches: (line: LogLine) => boolean,
    withinMs: number = LOG_PATIENCE_MS,
  ): Promise<LogLine | undefined> {
    return this.#find<LogLine>(owner, "sidecar.log", { matches, withinMs });
  }

  #find<T extends AccessLogEntry | LogLine>(
    owner: string,
    name: string,
    search: LineSearch<T>,
  ): Promise<T | undefined> {
    return findLogLine<T>(join(this.#data.logs(this.workload(owner)), name), search);
  }
}
