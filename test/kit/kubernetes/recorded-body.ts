import type { JsonObject } from "../../../src/local/api-server/kinds/kubernetes-object.ts";

/** What kubectl sent for one command. */
export interface RecordedBody {
  readonly command: string;
  readonly contentType: string;
  /** Base64. */
  readonly body: string;
  /** As `--dry-run=client -o json` shows it; of a token kubectl shows nothing. */
  readonly object?: JsonObject;
}
