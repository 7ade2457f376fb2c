/** What every engine that is compared offers. */
import type { MixedRequest, MixedRule } from "./mixed-rules.ts";

export interface Engine {
  readonly name: string;
  /** Makes the rules ready; its time is the compile time. */
  load(rules: readonly MixedRule[]): Promise<Decide>;
}

/** Prepares a request as the engine takes it, once; the returned function is what is timed. */
export type Decide = (request: MixedRequest) => () => boolean;
