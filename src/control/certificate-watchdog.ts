/** Says by itself, in the log, what should worry somebody about certificates: each thing once. */
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { certificateWarnings } from "./certificate-warnings.ts";
import type { GateInputs } from "./rotation-gate.ts";
import { rotationWarnings } from "./rotation-warnings.ts";

const LOOK_MS = 15_000;

export function watchCertificates(options: {
  readonly state: () => GateInputs;
  readonly clock: Clock;
  readonly log: Log;
}): { close(): void } {
  const said = new Set<string>();
  const timer = setInterval(() => tell(options, said), LOOK_MS).unref();
  tell(options, said);
  return { close: () => clearInterval(timer) };
}

function tell(
  { state, clock, log }: Parameters<typeof watchCertificates>[0],
  said: Set<string>,
): void {
  try {
    const [inputs, now] = [state(), clock.now()];
    const warnings = [...certificateWarnings(inputs, now), ...rotationWarnings(inputs, now)];
    const keys = new Set(warnings.map(({ key }) => key));
    for (const { key, level, text } of warnings) if (!said.has(key)) log[level](text);
    said.clear(); // what is over may come again, and nothing piles up
    for (const key of keys) said.add(key);
  } catch (error) {
    log.error("the certificates were not checked", { problem: describeError(error) });
  }
}
