/**
 * Where a pod's gRPC programs find what they need to be their own proxies, if the pod asks for it (INJ-15): their key is
 * there, so it is the pod's alone.
 */
import { rm } from "node:fs/promises";
import { isGrpcAgentTemplate } from "../../api/injection-templates.ts";
import type { ProxylessSettings } from "../../policy/sidecar-bootstrap.ts";
import {
  type AskingPod,
  type MeshPlaces,
  type SharedFolder,
  sharedFolder,
} from "./shared-folder.ts";

const SOCKET = "grpc-xds.sock";
const BOOTSTRAP = "grpc-bootstrap.json";

export interface ProxylessPlace {
  /** For the sidecar, which makes the files and the socket. */
  readonly settings: ProxylessSettings;
  /** Path of the bootstrap for an application. */
  readonly bootstrapPath: string;
  /** The folder that the sidecar and the containers share, which is that of the Workload API; absent where they see the same files anyway. */
  readonly shared?: SharedFolder["shared"];
}

/** @returns undefined for a pod that does not ask for it, and for one without a proxy to serve it */
export function proxylessPlace(pod: AskingPod, mesh: MeshPlaces): ProxylessPlace | undefined {
  if (!isGrpcAgentTemplate(pod.template) || !pod.workload.injected) return undefined;
  const found = sharedFolder(pod, mesh);
  if (found === undefined) {
    const folder = mesh.dataDirectory.proxylessFolder(pod.workload);
    const socket = mesh.dataDirectory.proxylessSocket(pod.workload);
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
  const { ofSidecar, ofContainers, access, shared } = found;
  return {
    settings: {
      folder: ofSidecar,
      socket: `${ofSidecar}/${SOCKET}`,
      applicationFolder: ofContainers,
      applicationSocket: `${ofContainers}/${SOCKET}`,
      access,
    },
    bootstrapPath: `${ofContainers}/${BOOTSTRAP}`,
    shared,
  };
}

/** A sidecar that was killed leaves its socket behind, which may stand outside of the pod's own folder. */
export async function removeProxyless({ settings, shared }: ProxylessPlace): Promise<void> {
  if (shared === undefined) await rm(settings.socket, { force: true });
}
