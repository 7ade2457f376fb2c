/** Ports that nobody declared, where the kernel leads all connections of a pod to its sidecar (PA-17, PA-18). */
import type { InboundPort, Interception } from "./workload-view.ts";

/**
 * What applies to such a port; what it speaks is found out.
 *
 * @param options.podAddress where the pod is called, and its application listens
 */
export function undeclaredPort(
  { undeclaredPorts }: Interception,
  { containerPort, podAddress }: { readonly containerPort: number; readonly podAddress: string },
): InboundPort {
  const ofItsOwn = undeclaredPorts.ports.find((one) => one.containerPort === containerPort);
  const address = { address: podAddress, port: containerPort };
  return {
    containerPort,
    protocol: "auto",
    mutualTls: ofItsOwn?.mutualTls ?? undeclaredPorts.mutualTls,
    listen: address,
    application: address,
  };
}
