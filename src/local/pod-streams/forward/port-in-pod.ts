/** Where a port of a pod is on this machine. */
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { LocalMesh } from "../../local-mesh.ts";
import { ADMIN_PORT } from "../../network/mesh-ranges.ts";
import type { Pod } from "../../pods/pod.ts";
import type { AnswerAsEnvoy } from "../answer-as-envoy.ts";
import { connectToAdministration } from "./connect-to-administration.ts";

const LOOPBACK = "127.0.0.1";

/**
 * Begins to connect to the application's own port, past its sidecar, as in a cluster. Port 15000 is the sidecar's whole
 * administration.
 */
export function connectToPort(
  pod: Pod,
  { port, answerAsEnvoy }: { readonly port: number; readonly answerAsEnvoy: AnswerAsEnvoy },
): Duplex {
  const { adminSocket, plan } = pod;
  if (port === ADMIN_PORT && adminSocket !== undefined)
    return connectToAdministration({ socket: adminSocket, answerAsEnvoy });
  const { addresses, gateway, ports } = plan.workload;
  // Its ports are captured on their way into the pod: within it nobody listens there.
  if (gateway && addresses !== undefined) return connect({ host: addresses.ipv4, port });
  const declared = ports.find(({ containerPort }) => containerPort === port);
  const { address, port: real } =
    addresses === undefined && declared !== undefined
      ? declared.application
      : { address: LOOPBACK, port };
  return pod.connect({ address, port: real });
}

/** The control plane has one port, whatever it is called. */
export function connectToControlPlane({ controlPlaneAddress }: LocalMesh): Socket {
  const [host = LOOPBACK, port = ""] = controlPlaneAddress.split(":");
  return connect({ host, port: Number(port) });
}
