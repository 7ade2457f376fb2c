/** Which of a route's destinations a request goes to. */
import type { RouteDestination } from "./virtual-host.ts";

/**
 * By weight.
 *
 * @param chance from 0, below 1
 * @returns undefined where there is none
 */
export function pickDestination<Destination extends Pick<RouteDestination, "weight">>(
  destinations: readonly Destination[],
  chance: number,
): Destination | undefined {
  if (destinations.length < 2) return destinations[0];
  let total = 0;
  for (const { weight } of destinations) total += weight;
  let left = chance * total;
  for (const destination of destinations) {
    left -= destination.weight;
    if (left < 0) return destination;
  }
  return destinations.at(-1);
}
