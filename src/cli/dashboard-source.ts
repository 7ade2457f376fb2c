/** The running mesh as the dashboard asks for it: the supervisor's status, and the access logs of all pods. */
import { join } from "node:path";
import type { LoggedCall, MeshFacts, MeshSource } from "../dashboard/mesh-source.ts";
import type { DataDirectory } from "../local/data-directory.ts";
import type { PodStatus } from "../local/mesh-status.ts";
import type { Clock } from "../runtime/clock.ts";
import { AccessLogTail } from "./access-log-tail.ts";
import { askMeshStatus } from "./ask-mesh-status.ts";
import { explainLoggedEntry, formatLoggedEntry } from "./format-logged-entry.ts";
import { findTroubles } from "./format-mesh-status.ts";
import { type PodAt, podsByAddress } from "./pods-by-address.ts";

export class DashboardSource implements MeshSource {
  readonly #dataDirectory: DataDirectory;
  readonly #clock: Clock;
  readonly #tail: AccessLogTail;
  #podAt: PodAt = () => undefined;

  constructor(dataDirectory: DataDirectory, clock: Clock) {
    this.#dataDirectory = dataDirectory;
    this.#clock = clock;
    const directory = join(dataDirectory.path, "logs");
    this.#tail = new AccessLogTail({ directory, wants: () => true });
  }

  /** @throws NoMeshError */
  async status(): Promise<MeshFacts> {
    const mesh = await askMeshStatus(this.#dataDirectory);
    this.#podAt = podsByAddress(mesh.pods);
    return {
      pods: mesh.pods.map(podFacts),
      troubles: findTroubles(mesh, this.#clock.now()),
    };
  }

  readLogs(receive: (logged: LoggedCall) => void): Promise<void> {
    return this.#tail.look(receive);
  }

  summaryOf(logged: LoggedCall): string {
    const line = formatLoggedEntry(logged, this.#podAt);
    // It begins with its time, which the page tells in another place.
    const summary = line.slice(line.indexOf(" ") + 1).replace(/^DENIED /, "");
    const remote = logged.entry.downstream_remote_address ?? "";
    // Each connection has a port of its own: with it no two refusals would be alike.
    return remote === ""
      ? summary
      : summary.replace(` ${remote} `, ` ${remote.replace(/:\d+$/, "")} `);
  }

  explanationOf(logged: LoggedCall): readonly string[] {
    return explainLoggedEntry(logged).map((line) => line.replace(/^ {4}/, ""));
  }

  close(): Promise<void> {
    return this.#tail.close();
  }
}

function podFacts(pod: PodStatus): MeshFacts["pods"][number] {
  const { namespace, name, owner, kind, identity, certificateEnds, addresses, ports } = pod;
  return {
    namespace,
    name,
    owner,
    kind,
    ...(identity !== undefined && { identity }),
    ...(certificateEnds !== undefined && { certificateEnds }),
    ...(addresses !== undefined && { addresses: { ...addresses } }),
    ports,
  };
}
