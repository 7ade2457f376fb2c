/** What a row of the demo is, and what comes of it. */
import type { Decision } from "../../policy/decision.ts";
import type { Stage } from "./stage.ts";

export interface Row {
  readonly caller: string;
  readonly callee: string;
  readonly request: string;
  /** What must come out, for people. */
  readonly expected: string;
  /** The one kind of network that it is about; absent: both. */
  readonly network?: "loopback" | "namespaces";
  play(stage: Stage): Promise<Finding>;
}

/** What came out, and everything about it that should have been otherwise. */
export interface Finding {
  readonly verdict: string;
  /** One line. */
  readonly because: string;
  /** Who proved what to whom. */
  readonly identities: string;
  /** Where one decision says it all. */
  readonly decision?: Decision;
  /** Empty when all came out as expected. */
  readonly surprises: readonly string[];
}
