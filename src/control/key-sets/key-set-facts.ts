/** What the control plane tells of keys that it fetches for the issuer of tokens: all of it is public. */
import type { KeySetState } from "./followed-key-set.ts";

export interface KeySetFacts extends KeySetState {
  /** As `tokenKeySourceName` says it. */
  readonly source: string;
  /** ISO 8601; absent: they are being fetched. */
  readonly nextTryAt?: string;
}
