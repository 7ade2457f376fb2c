/** What the demo tells while it runs: to a terminal as a table, to anything else line by line. */

import type { Workload } from "../../policy/workload.ts";
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import type { Finding, Row } from "./row.ts";

export interface Report {
  print(line: string): void;
  /** A command or a path to copy: never broken into lines. */
  printWhole(line: string): void;
  begin(number: number, row: Row): void;
  end(number: number, result: { readonly row: Row; readonly finding: Finding }): void;
  /** Something that no row did: what a pod's sidecar decided by itself while the mesh stays up. */
  decided(entry: AccessLogEntry, judge: Workload): void;
}
