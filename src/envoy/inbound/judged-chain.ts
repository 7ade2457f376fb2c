/** A chain of filters that judges its callers, and who says what is demanded of them: types alone. */
import type { ExtensionConfig, NetworkFilter } from "../envoy-json.ts";

export interface JudgedChain {
  /** Of no other chain of the proxy. */
  readonly name: string;
  readonly level: "http" | "tcp";
  /** Only where TLS of the mesh is taken off have callers an identity. */
  readonly transport: "mesh-tls" | "plaintext" | "other-tls";
  /** Of the container; absent: any. */
  readonly port?: number;
}

/** What policies of the actions AUDIT, DENY and ALLOW demand on a chain. */
export interface ChainAuthorization {
  /** In the order in which they judge (AP-2, AP-5). */
  readonly filters: readonly NetworkFilter[];
  /** What filters ask for by name; several chains may have the same ones. */
  readonly extensionConfigs: readonly ExtensionConfig[];
  /** Another one whenever the verdict on some caller may be another. */
  readonly fingerprint: string;
  /** In which form rules are asked: as Istio writes them, or as our own sidecars judge by them. */
  readonly form: RuleForm;
}

export type RuleForm = "linear" | "matcher";

export type AuthorizeChain = (chain: JudgedChain) => ChainAuthorization;
