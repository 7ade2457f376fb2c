/**
 * Where a pod's gRPC programs find what they need to be their own proxies, if the pod asks for it (INJ-15): their key is
 * there, so it is the pod's alone.
 */
import { rm } from "node:fs/promises";
import { isGrpcAgentTemplate } from "../../api/injection-templates.ts";
import type { PodTemplate } from "../../api/pod-template.ts";
import type { ProxylessSettings } from "../../policy/sidecar-bootstrap.ts";
import type { Workload } from "../../policy/workload.ts";
import type { DataDirectory } from "../data-directory.ts";
import type { MeshUser } from "../network/host-side.ts";
import { SHARED_FOLDER_DESCRIPTOR } from "../network/mesh-ranges.ts";
import { CONTAINER_FOLDER } from "./workload-api-place.ts";

const SOCKET = "grpc-xds.sock";
const BOOTSTRAP = "grpc-bootstrap.json";

export interface ProxylessPlace {
  /** For the sidecar, which makes the files and the socket. */
  readonly settings: ProxylessSettings;
  /** Path of the bootstrap for an application. */
  readonly bootstrapPath: string;
  /** The folder that the sidecar and the containers share, which is that of the Workload API; absent where they see the same files anyway. */
  readonly shared?: { readonly source: string; readonly target: string };
}

/** @returns undefined for a pod that does not ask for it, and for one without a proxy to serve it */
export function proxylessPlace(
  pod: {
    readonly workload: Pick<Workload, "namespace" | "name" | "injected">;
    readonly template: Pick<PodTemplate, "annotations">;
  },
  {
    dataDirectory,
    user,
  }: {
    readonly dataDirectory: DataDirectory;
    /** Whose the mesh is, where pods have namespaces of their own; absent where they have not. */
    readonly user: MeshUser | undefined;
  },
): ProxylessPlace | undefined {
  if (!isGrpcAgentTemplate(pod.template) || !pod.workload.injected) return undefined;
  if (user === undefined) {
    const folder = dataDirectory.proxylessFolder(pod.workload);
    const socket = dataDirectory.proxylessSocket(pod.workload);
    return {
      settings: {
        folder,
        socket,
        applicationFolder: folder,
        applicationSocket: socket,
        access: "owner",
      },
      bootstrapPath: `${folder}/${BOOTSTRAP}`,
    };
  }
  const folder = `/proc/self/fd/${SHARED_FOLDER_DESCRIPTOR}`;
  return {
    settings: {
      folder,
      socket: `${folder}/${SOCKET}`,
      applicationFolder: CONTAINER_FOLDER,
      applicationSocket: `${CONTAINER_FOLDER}/${SOCKET}`,
      access: user === "root" ? "group" : "owner",
    },
    bootstrapPath: `${CONTAINER_FOLDER}/${BOOTSTRAP}`,
    shared: { source: dataDirectory.workloadApiFolder(pod.workload), target: CONTAINER_FOLDER },
  };
}

/** A sidecar that was killed leaves its socket behind, which may stand outside of the pod's own folder. */
export async function removeProxyless({ settings, shared }: ProxylessPlace): Promise<void> {
  if (shared === undefined) await rm(settings.socket, { force: true });
}
