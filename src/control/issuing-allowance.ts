/**
 * How many certificates a pod, and an identity, may ask for: so that nobody takes all signing, and nobody fills the issue log
 * with certificates of its own until those of others leave it.
 */
import type { IssueLog } from "../ca/issue-log.ts";
import type { CertificateHolder } from "../ca/issued-certificates.ts";
import type { Clock } from "../runtime/clock.ts";
import { type FillingRate, TokenBuckets } from "./token-buckets.ts";

/** The shortest certificates live two seconds and are renewed each second; a sidecar that starts again asks at once. */
const POD: FillingRate = { atOnce: 60, perSecond: 1 };
/** An account of a thousand pods, all of which start twice. */
const IDENTITY: FillingRate = { atOnce: 2_000, perSecond: 50 };
/** A pod whose certificates live a day and that starts every two minutes has fewer; the book holds 300 times as many. */
const MAX_VALID = 1_000;

export interface IssuingAllowanceOptions {
  readonly issueLog: Pick<IssueLog, "validOf">;
  readonly clock: Clock;
}

export class IssuingAllowance {
  readonly #options: IssuingAllowanceOptions;
  readonly #pods: TokenBuckets;
  readonly #identities: TokenBuckets;

  constructor(options: IssuingAllowanceOptions) {
    this.#options = options;
    this.#pods = new TokenBuckets(POD, options.clock);
    this.#identities = new TokenBuckets(IDENTITY, options.clock);
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
