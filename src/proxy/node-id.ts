/** What a sidecar calls itself to collectors of spans. */
import type { CaptureSettings } from "../policy/sidecar-bootstrap.ts";

/** As Envoy's nodes are called. */
export function nodeIdOf({
  capture,
  name,
  namespace,
}: {
  readonly capture?: CaptureSettings | undefined;
  readonly name: string;
  readonly namespace: string;
}): string {
  const address = capture?.podAddresses.ipv4 ?? "127.0.0.1";
  return `sidecar~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`;
}
