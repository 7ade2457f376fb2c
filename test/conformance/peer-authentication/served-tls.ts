/** What a sidecar of a mesh serves of TLS on its inbound side. */
import { trustOf } from "../../../src/policy/build-workload-view.ts";
import type { MeshSnapshot } from "../../../src/policy/mesh-snapshot.ts";
import { serverContextOptions } from "../../../src/proxy/tls-context.ts";
import { createThrowawayAuthority } from "../../kit/throwaway-authority.ts";

const SOMEBODY = "spiffe://cluster.local/ns/default/sa/default";

export interface ServedTls {
  /** As Istio writes it: `TLSv1_2`. */
  readonly minVersion: string;
  readonly maxVersion: string;
  /** Of TLS 1.2. */
  readonly cipherSuites: readonly string[];
}

export function servedTls(snapshot: MeshSnapshot): ServedTls {
  const svid = createThrowawayAuthority().svid(SOMEBODY);
  const options = serverContextOptions({ svid, trust: trustOf(snapshot) });
  const suites = options.ciphers?.split(":") ?? [];
  return {
    minVersion: asIstioWrites(options.minVersion),
    maxVersion: asIstioWrites(options.maxVersion),
    cipherSuites: suites.filter((suite) => !suite.startsWith("TLS_")),
  };
}

function asIstioWrites(version: string | undefined): string {
  return String(version).replace(".", "_");
}
