/**
 * Carries out the hooks of a container, as a kubelet does: what a hook asks, and how much of the time to end is left after
 * it. Source: https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
 */
import { setTimeout as delay } from "node:timers/promises";
import type { LifecycleHook } from "../../api/lifecycle.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { checkByCommand, type ExecCheckOptions } from "./exec-check.ts";
import { tellHttp } from "./http-check.ts";
import type { ProbedPlace } from "./probed-place.ts";

/** When all pods end, nobody waits longer for any of them. */
export const CLOSING_GRACE_MS = 10_000;
/** However long a hook took, a program has so long to end. Source: `minimumGracePeriodInSeconds` of the kubelet. */
export const LEAST_GRACE_MS = 2_000;

export interface HookSurroundings extends Pick<ExecCheckOptions, "exec" | "admit"> {
  /** Where requests go. */
  readonly place: ProbedPlace;
}

/**
 * Resolves once it is done, or `signal` has aborted it.
 *
 * @throws Error where it failed
 */
export async function runHook(
  hook: LifecycleHook,
  { place, exec, admit, signal }: HookSurroundings & { readonly signal: AbortSignal },
): Promise<void> {
  try {
    switch (hook.kind) {
      case "sleep":
        return await delay(hook.seconds * 1000, undefined, { signal });
      case "exec":
        return await checkByCommand(hook.command, { exec, admit, signal });
      case "httpGet": {
        const address = place.address(hook.port);
        if (address === undefined) throw new Error(`port ${hook.port} is not a port of the pod`);
        return await tellHttp(hook, { place, address, signal });
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

export interface EndingOptions {
  /** From the beginning of the hook until the program is made to end. */
  readonly graceMs: number;
  /** Aborts when all pods end. */
  readonly closing: AbortSignal;
  /** Is given what leaves it less time, in milliseconds from then on. */
  readonly onBegun: (hurry: (graceMs: number) => void) => void;
  /** Resolves when the program has ended by itself. */
  readonly ended: Promise<unknown>;
  /** Hears what the hook failed by. */
  readonly onFailed: (problem: string) => void;
}

/**
 * Carries out a `preStop` hook for as long as there is time.
 *
 * @returns how long the program may take from now on, in milliseconds
 */
export async function runPreStop(
  hook: LifecycleHook,
  surroundings: HookSurroundings,
  { graceMs, closing, onBegun, ended, onFailed }: EndingOptions,
): Promise<number> {
  let endsAt = performance.now() + graceMs;
  const left = (): number => endsAt - performance.now();
  const over = new AbortController();
  const gone = new AbortController();
  void ended.then(() => gone.abort());
  let timer = setTimeout(() => over.abort(), graceMs);
  const hurry = (within: number): void => {
    endsAt = Math.min(endsAt, performance.now() + within);
    clearTimeout(timer);
    timer = setTimeout(() => over.abort(), left());
  };
  const close = (): void => hurry(CLOSING_GRACE_MS);
  if (closing.aborted) close();
  else closing.addEventListener("abort", close, { once: true });
  onBegun(hurry);
  const signal = AbortSignal.any([over.signal, gone.signal]);
  try {
    if (graceMs > 0) await runHook(hook, { ...surroundings, signal });
    if (over.signal.aborted) onFailed("it did not end in time");
  } catch (error) {
    onFailed(describeError(error));
  } finally {
    clearTimeout(timer);
    closing.removeEventListener("abort", close);
  }
  return Math.max(left(), LEAST_GRACE_MS);
}
