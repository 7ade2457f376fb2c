import type { JsonObject } from "../../../src/local/api-server/kinds/kubernetes-object.ts";

/** What became of one patch. */
export interface RecordedPatch {
  readonly type: string;
  readonly name: string;
  readonly status: number;
  /** The object as it is afterwards; absent where the patch was refused. */
  readonly object?: JsonObject;
  readonly reason?: string;
  readonly message?: string;
}
