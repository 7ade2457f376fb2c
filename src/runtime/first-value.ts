/** Waiting for what is not there yet. */
import type { Watched } from "./watched.ts";

/** Resolves with the present value, or with the first that there is. */
export function firstValue<T>(watched: Watched<T | undefined>): Promise<T> {
  if (watched.current !== undefined) return Promise.resolve(watched.current);
  return new Promise((resolve) => {
    const unwatch = watched.onChange((value) => {
      if (value === undefined) return;
      unwatch();
      resolve(value);
    });
  });
}
