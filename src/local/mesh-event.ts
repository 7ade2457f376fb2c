/** What happens to a mesh on this machine, told to whoever started it. */
import type { Workload } from "../policy/workload.ts";
import type { GatewayAddress } from "./gateway-addresses.ts";
import type { PublishOutcome } from "./network/host-side.ts";
import type { PathRewrite } from "./pods/rewrite-paths.ts";
import type { ProcessEvent } from "./processes/supervised-process.ts";
import type { SettledOwner } from "./settled-ports.ts";

export type MeshEvent =
  | { readonly type: "leftovers-ended"; readonly titles: readonly string[] }
  | { readonly type: "planned"; readonly workloads: readonly Workload[] }
  | { readonly type: "control-plane-ready"; readonly listen: string }
  /** The control plane has something to say, such as a step of rotation. */
  | { readonly type: "notice"; readonly text: string }
  | { readonly type: "pod-started"; readonly workload: Workload }
  | { readonly type: "pod-stopped"; readonly workload: Workload }
  | {
      readonly type: "files-placed";
      readonly title: string;
      readonly rewrites: readonly PathRewrite[];
    }
  /** A program listens on ports of its own, on a loopback that all share. */
  | { readonly type: "ports-settled"; readonly owner: SettledOwner }
  /** The host's loopback offers other service ports than before. */
  | { readonly type: "published"; readonly ports: readonly PublishOutcome[] }
  /** Where a gateway is reached, whenever that is another than before. */
  | {
      readonly type: "gateway-serves";
      /** `namespace/pod` */
      readonly pod: string;
      readonly addresses: readonly GatewayAddress[];
    }
  | { readonly type: "process"; readonly title: string; readonly event: ProcessEvent };
