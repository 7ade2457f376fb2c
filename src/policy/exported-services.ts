/**
 * What one cluster tells another about its services (CA-54): who may answer behind them, and where. Nothing of policies,
 * and nothing of workloads that stand behind no service.
 */
import type { PortProtocol } from "../api/service.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { SocketAddress } from "./workload.ts";

export interface ExportedService {
  readonly namespace: string;
  readonly name: string;
  /** Every identity a workload behind it may prove, ready or not, in the trust domain that issues it; sorted. */
  readonly identities: readonly SpiffeId[];
  readonly ports: readonly ExportedPort[];
}

export interface ExportedPort {
  readonly port: number;
  readonly protocol: PortProtocol;
  readonly endpoints: readonly ExportedEndpoint[];
}

export interface ExportedEndpoint {
  /** Name of the pod, in the service's namespace. */
  readonly workload: string;
  /** Where callers connect: its sidecar, or the program itself. */
  readonly address: SocketAddress;
  /** Whether callers with a sidecar speak mutual TLS to it (TLS-20..TLS-28). */
  readonly mutualTls: boolean;
}
