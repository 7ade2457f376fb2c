/**
 * Starts the containers of a pod as a kubelet does: those that are written after one with a `postStart` hook wait until
 * that is over, whatever came of it.
 */
import { throwFirstFailure } from "../../runtime/first-failure.ts";
import type { PodContainer } from "./pod-container.ts";

/**
 * Resolves once those are started that wait for no hook.
 *
 * @returns what resolves once the others are started too
 * @throws the first reason why one of them could not be
 */
export async function startContainers(
  containers: readonly PodContainer[],
): Promise<{ readonly later: Promise<void> }> {
  const hooked = containers.findIndex(({ hasPostStart }) => hasPostStart);
  const first = hooked === -1 ? containers : containers.slice(0, hooked + 1);
  const rest = containers.slice(first.length);
  const starts = first.map((container) => container.start());
  throwFirstFailure(await Promise.allSettled(starts));
  const later = rest.length === 0 ? Promise.resolve() : startAfter(first.at(-1), rest);
  return { later };
}

async function startAfter(
  hooked: PodContainer | undefined,
  rest: readonly PodContainer[],
): Promise<void> {
  await hooked?.begun;
  const { later } = await startContainers(rest);
  await later;
}
