/** For works of which all are to end, whatever becomes of one of them, before anybody hears that it failed. */

/** @throws the reason of the first that failed, in their order */
export function throwFirstFailure(outcomes: readonly PromiseSettledResult<unknown>[]): void {
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
