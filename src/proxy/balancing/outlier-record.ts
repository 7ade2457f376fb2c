/** What outlier detection remembers of one endpoint. Times are milliseconds of a clock that never goes back. */

export class OutlierRecord {
  consecutive5xxErrors = 0;
  consecutiveGatewayErrors = 0;
  consecutiveLocalOriginFailures = 0;
  ejectedAtMs = 0;
  returnedAtMs: number | undefined;
  /** How many times the base ejection time the latest ejection lasts, and one less after each quiet interval. */
  ejectionMultiplier = 0;

  forgetErrors(): void {
    this.consecutive5xxErrors = 0;
    this.consecutiveGatewayErrors = 0;
    this.consecutiveLocalOriginFailures = 0;
  }

  forgetEverything(): void {
    this.forgetErrors();
    this.ejectedAtMs = 0;
    this.returnedAtMs = undefined;
    this.ejectionMultiplier = 0;
  }
}
