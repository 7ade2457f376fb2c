/**
 * How a sidecar's process, or that of an Envoy's agent, is started. There are many, and each should hold from its first minute what it holds after a
 * month: the room for young objects is fixed, and threads share two heaps of the C library.
 */
import type { ProcessPlan } from "./mesh-process.ts";
import { type OwnProcess, ownProcessPlan } from "./own-process.ts";

/** MiB, three times of which is held; V8 would begin with 1 and grow to 16 with the load. */
const YOUNG_MIB = 8;
const INTERPRETER_FLAGS = [
  `--min-semi-space-size=${YOUNG_MIB}`,
  `--max-semi-space-size=${YOUNG_MIB}`,
  "--expose-gc", // see `collectOldGarbage`
];

export function sidecarProcessPlan(what: Omit<OwnProcess, "command">): ProcessPlan {
  return podProcessPlan({ ...what, command: "sidecar" });
}

/** What an Envoy has under way may end for 5 seconds; then it goes, and its agent after it. */
const AGENT_GRACE_MS = 8_000;

/** Envoy is in the group of its agent, which alone is asked to end: Envoy would go at once. */
export function envoyAgentProcessPlan(what: Omit<OwnProcess, "command">): ProcessPlan {
  return {
    graceMs: AGENT_GRACE_MS,
    ...podProcessPlan({ ...what, command: "envoy-agent" }),
    programsOf: (processId) => Promise.resolve([processId]),
  };
}

function podProcessPlan(what: OwnProcess): ProcessPlan {
  const plan = ownProcessPlan({ ...what, hauberkCommand: withFlags(what.hauberkCommand) });
  return { ...plan, environment: { ...plan.environment, MALLOC_ARENA_MAX: "2" } };
}

/** The entry file is the last. */
function withFlags([interpreter, ...rest]: OwnProcess["hauberkCommand"]): [string, ...string[]] {
  return [interpreter, ...rest.slice(0, -1), ...INTERPRETER_FLAGS, ...rest.slice(-1)];
}
