/** Another cluster of the same root, as it described itself last. */
import type { ExportedService } from "./exported-services.ts";

export interface RemoteClusterServices {
  /** As the other mesh calls itself. */
  readonly cluster: string;
  readonly services: readonly ExportedService[];
}
