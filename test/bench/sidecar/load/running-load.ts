/** Work for a pair of proxies, under way. */
import type { LoadResult } from "./load-messages.ts";

export interface RunningLoad {
  /** From here on counts what is done. */
  begin(): Promise<void>;
  /** Stops it. */
  end(): Promise<LoadResult>;
}
