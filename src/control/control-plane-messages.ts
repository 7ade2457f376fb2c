/** What a control plane process and whoever started it say to each other over an inherited pipe. */
import type { Resource } from "../api/resource.ts";
import type { IpAddresses, Workload } from "../policy/workload.ts";

/** What runs now; each message replaces what the one before said. */
export interface RunningNow {
  readonly workloads: readonly Workload[];
  /** Resources that are in no file, such as those of processes that joined. */
  readonly resources: readonly Resource[];
  /** Of services, by `namespace/name`; absent where pods share the machine's loopback. */
  readonly serviceAddresses?: Readonly<Record<string, IpAddresses>>;
}

/** Messages to the control plane. The first must be "start". */
export type ControlPlaneInstruction =
  | ({
      readonly type: "start";
      /** Files and folders of resources. */
      readonly paths: readonly string[];
      readonly dataDirectory: string;
      readonly address: string;
      readonly port: number;
    } & RunningNow)
  | ({ readonly type: "running" } & RunningNow);

/** Messages from the control plane. */
export type ControlPlaneReport =
  | {
      readonly type: "ready";
      /** `address:port` of the certificate and discovery services. */
      readonly listen: string;
      /** PEM of the root its own certificate chains to. */
      readonly rootPem: string;
    }
  | { readonly type: "failed"; readonly problem: string };
