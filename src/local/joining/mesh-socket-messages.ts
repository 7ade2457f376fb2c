/** What the supervisor of a mesh and other commands say to each other over its Unix socket, one JSON value a line. */

import type { WrittenText } from "../../control/written-texts.ts";
import type { MeshStatus } from "../mesh-status.ts";
import type { MeshUser } from "../network/host-side.ts";
import {
  type JoinRequest,
  listOf,
  MalformedMessageError,
  parseJoinRequest,
  recordOf,
  textOf,
} from "./join-request.ts";

/** Each gets one reply, in order. */
export type MeshRequest =
  /** From now on the processes, and all they start, are a workload of the mesh, until the connection ends. */
  | {
      readonly type: "join";
      readonly request: JoinRequest;
      readonly processIds: readonly number[];
    }
  /** Replaces the processes of whoever joined over this connection. */
  | { readonly type: "processes"; readonly processIds: readonly number[] }
  | { readonly type: "leave" }
  | { readonly type: "status" }
  /** All that is written of the mesh. */
  | { readonly type: "written" }
  /** Of a pod, or of the first pod of a workload of this name. */
  | { readonly type: "sidecar"; readonly namespace: string; readonly name: string }
  | { readonly type: "stop" };

export interface Joined {
  readonly type: "joined";
  /** `namespace/pod` */
  readonly pod: string;
  readonly identity: string;
  /** On top of the program's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** As others call it: `http://billing.production:8080`, or `cache.production:6379` where it is no HTTP. */
  readonly reachedAt: readonly string[];
  /** Where its own program must listen, by declared port. */
  readonly listens: readonly { readonly port: number; readonly at: string }[];
  readonly notes: readonly string[];
  /** Where the program must run to be in the pod's network, or that all share the machine's loopback. */
  readonly network: JoinedNetwork | "loopback";
}

export interface JoinedNetwork {
  readonly user: MeshUser;
  /** A process in the pod's network namespace. */
  readonly processId: number;
  /** The pod's resolv.conf, which the program must see as its own. */
  readonly resolverFile: string;
}

export type MeshReply =
  | Joined
  | { readonly type: "adopted" }
  | { readonly type: "left" }
  | { readonly type: "status"; readonly status: MeshStatus }
  | { readonly type: "written"; readonly texts: readonly WrittenText[] }
  | {
      readonly type: "sidecar";
      /** `namespace/pod` */
      readonly pod: string;
      /** Path of the Unix socket of its administration. */
      readonly adminSocket: string;
    }
  | { readonly type: "stopping" }
  | { readonly type: "refused"; readonly problem: string }
  /** Comes by itself, and last. */
  | { readonly type: "ended"; readonly because: string };

/** A longer line ends the conversation: requests are small. */
export const MAX_REQUEST_CHARACTERS: number = 64 * 1024;
const MAX_PROCESS_IDS = 16;

/** @throws MalformedMessageError */
export function parseMeshRequest(value: unknown): MeshRequest {
  const fields = recordOf(value, "message");
  switch (fields["type"]) {
    case "join":
      return {
        type: "join",
        request: parseJoinRequest(fields["request"]),
        processIds: parseProcessIds(fields["processIds"]),
      };
    case "processes":
      return { type: "processes", processIds: parseProcessIds(fields["processIds"]) };
    case "sidecar":
      return {
        type: "sidecar",
        namespace: textOf(fields["namespace"], "namespace"),
        name: textOf(fields["name"], "name"),
      };
    case "leave":
    case "status":
    case "written":
    case "stop":
      return { type: fields["type"] };
    default:
      throw new MalformedMessageError(
        "type: expected join, processes, leave, status, written, sidecar or stop",
      );
  }
}

/** Process 1 starts everything else: whoever names it would name all programs. */
function parseProcessIds(value: unknown): readonly number[] {
  return listOf(value, { what: "processIds", limit: MAX_PROCESS_IDS }).map((item) => {
    if (typeof item === "number" && Number.isSafeInteger(item) && item > 1) return item;
    throw new MalformedMessageError("processIds: expected numbers above 1");
  });
}
