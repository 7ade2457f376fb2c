/**
 * How many certificates a pod, and an identity, may ask for: so that nobody takes all signing, and nobody fills the issue log
 * with certificates of its own until those of others leave it.
 */
import type { IssueLog } from "../ca/issue-log.ts";
import type { CertificateHolder } from "../ca/issued-certificates.ts";
import type { Clock } from "../runtime/clock.ts";

/** The shortest certificates live two seconds and are renewed each second; a sidecar that starts again asks at once. */
const POD: Rate = { atOnce: 60, perSecond: 1 };
/** An account of a thousand pods, all of which start twice. */
const IDENTITY: Rate = { atOnce: 2_000, perSecond: 50 };
/** A pod whose certificates live a day and that starts every two minutes has fewer; the book holds 300 times as many. */
const MAX_VALID = 1_000;
const SECOND_MS = 1_000;
/** Those that ask no more are forgotten so often. */
const SWEEP_MS = 60_000;

interface Rate {
  readonly atOnce: number;
  readonly perSecond: number;
}

export interface IssuingAllowanceOptions {
  readonly issueLog: Pick<IssueLog, "validOf">;
  readonly clock: Clock;
}

export class IssuingAllowance {
  readonly #options: IssuingAllowanceOptions;
  readonly #pods: Buckets;
  readonly #identities: Buckets;

  constructor(options: IssuingAllowanceOptions) {
    this.#options = options;
    this.#pods = new Buckets(POD, options.clock);
    this.#identities = new Buckets(IDENTITY, options.clock);
  }

  /**
   * Takes one certificate for this identity, which the pod asks for.
   *
   * @returns in words why there is none; undefined: it is granted
   */
  take(holder: CertificateHolder): string | undefined {
    const { pod, identity } = holder;
    const asker = `${pod.namespace}/${pod.podName}`;
    // A node agent asks for many identities (CA-9), each of which renews by itself.
    if (this.#pods.take(`${asker}/${pod.podUid} ${identity}`) === "spent")
      return `pod ${asker} asks for more than ${POD.perSecond} certificate a second`;
    if (this.#identities.take(identity) === "spent")
      return `more than ${IDENTITY.perSecond} certificates a second are asked for`;
    if (this.#options.issueLog.validOf(holder) >= MAX_VALID)
      return `pod ${asker} has ${MAX_VALID} certificates that are valid`;
    return undefined;
  }
}

/** For each key so many at once, and so many a second later on. */
class Buckets {
  readonly #rate: Rate;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { left: number; at: number }>();
  #sweptAt = 0;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  take(key: string): "granted" | "spent" {
    const now = this.#clock.now().getTime();
    if (Math.abs(now - this.#sweptAt) >= SWEEP_MS) this.#sweep(now);
    const bucket = this.#buckets.get(key) ?? { left: this.#rate.atOnce, at: now };
    this.#buckets.set(key, bucket);
    bucket.left = this.#leftIn(bucket, now);
    bucket.at = now;
    if (bucket.left < 1) return "spent";
    bucket.left--;
    return "granted";
  }

  /** A clock that was set back gives nothing, and takes nothing away. */
  #leftIn({ left, at }: { readonly left: number; readonly at: number }, now: number): number {
    const { atOnce, perSecond } = this.#rate;
    const passedMs = Math.max(0, now - at);
    return Math.min(atOnce, left + (passedMs / SECOND_MS) * perSecond);
  }

  /** A full one is as good as none. */
  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [key, bucket] of this.#buckets)
      if (this.#leftIn(bucket, now) >= this.#rate.atOnce) this.#buckets.delete(key);
  }
}
