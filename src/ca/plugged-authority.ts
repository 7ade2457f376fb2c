/** An authority that somebody brings: the four files of the article, or those of a Kubernetes TLS secret (CA-43..CA-45). */
import type { KeyObject } from "node:crypto";

export interface PluggedAuthority {
  /** PEM of the signing certificate. */
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
  /** PEM of the certificates between leaf and root, the signing certificate first; empty when it is a root itself. */
  readonly intermediatesPem: readonly string[];
  /** PEM, one each. */
  readonly rootsPem: readonly string[];
  /** PEM, one each; empty where there are none. */
  readonly crlsPem: readonly string[];
}
