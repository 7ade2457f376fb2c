/** What a sidecar wrote into its access log, for tests that wait for it. */
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import type { MeshInNamespaces } from "./mesh-in-namespaces.ts";
import { until } from "./until.ts";

export interface EntrySearch {
  /** `namespace/pod` */
  readonly pod: string;
  readonly matches: (entry: AccessLogEntry) => boolean;
  /** How many at least. */
  readonly count?: number;
}

/** @throws when there are not as many within thirty seconds */
export function writtenEntries(
  mesh: MeshInNamespaces,
  { pod, matches, count = 1 }: EntrySearch,
): Promise<readonly AccessLogEntry[]> {
  return until(`${count} entries in the log of ${pod}`, async () => {
    const text = await mesh.read(`logs/${pod}/access.log`);
    const whole = text.split("\n").slice(0, -1);
    const found = whole.map((line) => JSON.parse(line) as AccessLogEntry).filter(matches);
    return found.length >= count && found;
  });
}
