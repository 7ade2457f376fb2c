/** What a control plane process and whoever started it say to each other over an inherited pipe. */
import type { Workload } from "../policy/workload.ts";

/** Messages to the control plane. The first must be "start". */
export type ControlPlaneInstruction =
  | {
      readonly type: "start";
      /** Files and folders of resources. */
      readonly paths: readonly string[];
      readonly dataDirectory: string;
      readonly address: string;
      readonly port: number;
      readonly workloads: readonly Workload[];
    }
  /** The workloads that run now; replaces the earlier list. */
  | { readonly type: "workloads"; readonly workloads: readonly Workload[] };

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
