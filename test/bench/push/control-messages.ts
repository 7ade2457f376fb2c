/** What the benchmark and its processes say to each other. */
import type { RunningNow } from "../../../src/control/control-plane-messages.ts";
import type { WrittenText } from "../../../src/control/written-texts.ts";

export type ToControl =
  | {
      readonly type: "start";
      readonly dataDirectory: string;
      readonly texts: readonly WrittenText[];
      readonly running: RunningNow;
    }
  | { readonly type: "texts"; readonly texts: readonly WrittenText[] }
  | { readonly type: "running"; readonly running: RunningNow }
  | { readonly type: "usage" };

export type FromControl =
  | { readonly type: "serving"; readonly port: number; readonly rootPem: string }
  | ({ readonly type: "usage" } & ControlUsage);

export interface ControlUsage {
  readonly cpuSeconds: number;
  readonly rssMb: number;
  /** Of it: objects, and bytes outside of V8's heap that they hold. */
  readonly heapMb: number;
  readonly externalMb: number;
  readonly peakRssMb: number;
}

export type ToProxies =
  | {
      readonly type: "connect";
      readonly port: number;
      readonly rootPem: string;
      readonly proxies: readonly SimulatedPod[];
    }
  /** Forget what was counted, and count from now on. */
  | { readonly type: "count" }
  | { readonly type: "tell" };

export interface SimulatedPod {
  /** `namespace/pod` */
  readonly pod: string;
  readonly token: string;
}

export type FromProxies =
  | {
      readonly type: "synced";
      readonly seconds: number;
      readonly refused: number;
      readonly cpuSeconds: number;
    }
  | { readonly type: "counts"; readonly counts: ProxyCounts };

/** Since it was last asked to count. */
export interface ProxyCounts {
  /** Of the proxies' process: what it takes shares two cores with what is measured. */
  readonly cpuSeconds: number;
  /** By type of resource. */
  readonly types: Readonly<Record<string, TypeCount>>;
}

export interface TypeCount {
  /** How many proxies were sent any. */
  readonly proxies: number;
  /** Of responses as they crossed the wire, with their frames' heads. */
  readonly bytes: number;
  /** Of the same once unpacked. */
  readonly plainBytes: number;
  /** When the first and the last proxy had its first, in nanoseconds of the machine's monotonic clock, as text. */
  readonly first: string;
  readonly last: string;
}
