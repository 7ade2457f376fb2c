/** What the dashboard is told of a mesh. Whoever serves it knows where a mesh keeps its logs, and whom to ask. */
import type { AccessLogEntry } from "../telemetry/access-log.ts";

export interface MeshSource {
  status(): Promise<MeshFacts>;
  /** Tells of every entry since it was called last. */
  readLogs(receive: (logged: LoggedCall) => void): Promise<void>;
  /** What was called, by whom, and what was decided: one line, without its time. */
  summaryOf(logged: LoggedCall): string;
  /** The decision, a sentence or a detail a line. */
  explanationOf(logged: LoggedCall): readonly string[];
}

export interface LoggedCall {
  /** `namespace/pod` whose sidecar wrote it. */
  readonly pod: string;
  readonly entry: AccessLogEntry;
}

export interface MeshFacts {
  readonly pods: readonly PodFacts[];
  /** What is down or not as it should be, a sentence each. */
  readonly troubles: readonly string[];
}

export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  /** Of the pods of one workload the same. */
  readonly owner: string;
  readonly kind: string;
  /** Its SPIFFE id; absent without a sidecar. */
  readonly identity?: string;
  /** ISO 8601; absent without a certificate. */
  readonly certificateEnds?: string;
  readonly addresses?: Readonly<Record<string, string>>;
  readonly ports: readonly PortFacts[];
}

export interface PortFacts {
  readonly containerPort: number;
  readonly listen: { readonly address: string; readonly port: number };
  /** Absent without a sidecar. */
  readonly mutualTls?: { readonly mode: string };
}
