/** What a control plane process and whoever started it say to each other over an inherited pipe. */
import type { Resource } from "../api/resource.ts";
import type { IpAddresses, Workload } from "../policy/workload.ts";
import type { RefusedResource } from "./refused-resources.ts";
import type { TextChanges } from "./text-changes.ts";
import type { WayOutSettings } from "./way-out.ts";

/** What runs now; each message replaces what the one before said. */
export interface RunningNow {
  readonly workloads: readonly Workload[];
  /** Resources that are in no text, such as those of processes that joined. */
  readonly resources: readonly Resource[];
  /** Of services, by `namespace/name`; absent where pods share the machine's loopback. */
  readonly serviceAddresses?: Readonly<Record<string, IpAddresses>>;
}

/** What whoever runs a mesh may ask of its control plane beside the resources. */
export interface ControlPlaneSettings {
  /** What the mesh calls itself to others; absent: "Kubernetes", as in Istio. */
  readonly cluster?: string;
  /** Folder of a custom authority; absent: a self-signed one is made. */
  readonly cacerts?: string;
  /** Where the trust bundle is served on loopback; absent: nowhere. */
  readonly bundleEndpointPort?: number;
  /** Where metrics are served on loopback; absent: on the socket alone. */
  readonly metricsPort?: number;
  /** How hosts of others are reached out of a mesh of network namespaces; absent: as any program does. */
  readonly outside?: WayOutSettings;
}

/** Messages to the control plane. Nothing happens before "start", ahead of which all that is written is told. */
export type ControlPlaneInstruction =
  | ({
      readonly type: "start";
      readonly dataDirectory: string;
      readonly address: string;
      readonly port: number;
      /** Unix socket on which it takes questions and orders. */
      readonly socket: string;
      /** What the one before it told of refusals last; absent: none. */
      readonly refusedBefore?: readonly RefusedResource[];
    } & ControlPlaneSettings &
      RunningNow)
  | ({ readonly type: "running" } & RunningNow)
  | ({ readonly type: "texts" } & TextChanges);

/** Messages from the control plane. */
export type ControlPlaneReport =
  | {
      readonly type: "ready";
      /** `address:port` of the certificate and discovery services. */
      readonly listen: string;
      /** PEM of the roots that are trusted now; its own certificate chains to one of them. */
      readonly rootPem: string;
    }
  /** Other roots are trusted from now on: what is started from now on is told these. */
  | { readonly type: "roots"; readonly rootPem: string }
  /** What whoever runs the mesh should read, such as a step of rotation; it is in the log too. */
  | { readonly type: "notice"; readonly text: string }
  /** All resources that are not in force everywhere, because proxies refuse them; at the start those that the one before it told. */
  | { readonly type: "refusals"; readonly resources: readonly RefusedResource[] }
  | { readonly type: "failed"; readonly problem: string };
