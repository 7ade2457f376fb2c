/** A short stretch of one load through one pair: what was done, and what it cost. */
import { setTimeout as delay } from "node:timers/promises";
import type { LoadResult } from "./load/load-messages.ts";
import type { RunningLoad } from "./load/running-load.ts";
import { cpuSeconds, proxyCoreSeconds, residentMemory } from "./measured-process.ts";
import type { Pair } from "./proxy-side.ts";

export interface Slice extends LoadResult {
  readonly seconds: number;
  /** Processor seconds. */
  readonly callerCpu: number;
  readonly calleeCpu: number;
  /** Megabytes, of both proxies, under the load. */
  readonly memory: number;
  /** Part of the proxies' core that neither of them took, and others did. */
  readonly others: number;
}

export interface SliceLength {
  /** Before anything is counted: connections are opened, handshakes done, code is warm. */
  readonly rampMs: number;
  readonly seconds: number;
}

export async function measureSlice(
  { caller, callee }: Pair,
  load: RunningLoad,
  { rampMs, seconds }: SliceLength,
): Promise<Slice> {
  await delay(rampMs);
  await load.begin();
  const before = usage();
  const started = performance.now();
  await delay(seconds * 1000);
  const after = usage();
  const memory = residentMemory(caller.process) + residentMemory(callee.process);
  const elapsed = (performance.now() - started) / 1000;
  const result = await load.end();
  const callerCpu = after.caller - before.caller;
  const calleeCpu = after.callee - before.callee;
  const others = (after.core - before.core - callerCpu - calleeCpu) / elapsed;
  return { ...result, seconds: elapsed, callerCpu, calleeCpu, memory, others };

  function usage() {
    return {
      caller: cpuSeconds(caller.process),
      callee: cpuSeconds(callee.process),
      core: proxyCoreSeconds(),
    };
  }
}

const MICROSECONDS = 1_000_000;

/** Microseconds of both proxies. */
export function cpuPerRequest({ callerCpu, calleeCpu, done }: Slice): number {
  return ((callerCpu + calleeCpu) * MICROSECONDS) / done;
}

export function calleeCpuPerRequest({ calleeCpu, done }: Slice): number {
  return (calleeCpu * MICROSECONDS) / done;
}

export function callerCpuPerRequest({ callerCpu, done }: Slice): number {
  return (callerCpu * MICROSECONDS) / done;
}

export function ratePerSecond({ done, seconds }: Slice): number {
  return done / seconds;
}
