/** An authority that somebody brings: the four files of the article, or those of a Kubernetes TLS secret (CA-43..CA-45). */
import type { KeyObject } from "node:crypto";
import { HauberkError } from "../runtime/hauberk-error.ts";

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
  /** What whoever brought it should know, though nothing is refused for it; one sentence each, with the file's name. */
  readonly notes?: readonly string[];
}

/** The files that somebody brings as an authority must not be used; the message lists every reason. */
export class PluggedAuthorityError extends HauberkError {
  readonly code = "HAUBERK_PLUGGED_AUTHORITY";
  /** One each, beginning with the file's name. */
  readonly problems: readonly string[];
  constructor(directory: string, problems: readonly string[]) {
    super(`the authority in ${directory} is refused: ${problems.join("; ")}`);
    this.problems = problems;
  }
}
