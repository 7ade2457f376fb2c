/** Statuses that a route may answer with. */

/** Istio's own bound is 600, although it says 599. */
export function httpStatusProblem(status: number): string | undefined {
  return status >= 200 && status <= 600 ? undefined : `is ${status}; expected a status from 200`;
}
