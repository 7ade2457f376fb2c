/**
 * For which pod each certificate was issued, out of the issue log: a certificate names an account, and outlives the pod
 * that asked for it.
 */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { TokenBearer } from "./service-account-tokens.ts";

/** As many as the files of the issue log hold. The oldest give way; whoever has one of them comes with a token. */
const MAX_CERTIFICATES = 400_000;
/** So often what has expired is looked for everywhere. */
const SWEEP_EVERY = 20_000;

export interface NotedCertificate {
  /** Upper-case hexadecimal. */
  readonly serial: string;
  /** Of the SubjectPublicKeyInfo, lower-case hexadecimal. */
  readonly publicKeySha256: string;
  readonly identity: SpiffeId;
  /** Of whoever asked: whose token was shown, or whose certificate. */
  readonly pod?: TokenBearer | undefined;
  /** The node agent that asked for another's identity (CA-9): then the pod is the agent's. */
  readonly impersonatedBy?: SpiffeId | undefined;
  readonly notAfter: Date;
}

/** Whose a certificate is. */
export interface CertificateHolder {
  readonly identity: SpiffeId;
  readonly pod: TokenBearer;
}

interface Asker extends CertificateHolder {
  readonly key: string;
  readonly forItself: boolean;
  /** When each of its certificates ends, in milliseconds. */
  readonly valid: Map<string, number>;
}

export class IssuedCertificates {
  /** By serial number and key: another authority under the same root gives its certificates the numbers that it likes. */
  readonly #certificates = new Map<string, Asker>();
  readonly #askers = new Map<string, Asker>();
  readonly #limit: number;
  #untilSweep = SWEEP_EVERY;

  /** @param limit constant but for tests */
  constructor(limit: number = MAX_CERTIFICATES) {
    this.#limit = limit;
  }

  /** What expired before `now` is not kept; nor is what no pod is written down for. */
  note(noted: NotedCertificate, now: Date): void {
    const { identity, pod, impersonatedBy, notAfter } = noted;
    if (pod === undefined || notAfter <= now) return;
    const id = idOf(noted);
    const asker = this.#asker({ identity, pod }, impersonatedBy === undefined);
    asker.valid.set(id, notAfter.getTime());
    this.#certificates.set(id, asker);
    if (--this.#untilSweep <= 0) this.#sweep(now);
    if (this.#certificates.size > this.#limit) this.#forgetOldest();
  }

  /** @returns undefined for one that is not known, or that a node agent has asked for */
  holderOf(serial: string, publicKeySha256: string): CertificateHolder | undefined {
    const asker = this.#certificates.get(idOf({ serial, publicKeySha256 }));
    return asker?.forItself === true ? asker : undefined;
  }

  /** How many certificates of that identity this pod has got that have not expired. */
  validOf(holder: CertificateHolder, now: Date): number {
    const asker = this.#askers.get(keyOf(holder));
    if (asker === undefined) return 0;
    this.#forgetExpired(asker, now);
    return asker.valid.size;
  }

  #asker(holder: CertificateHolder, forItself: boolean): Asker {
    const key = keyOf(holder);
    const known = this.#askers.get(key);
    if (known !== undefined) return known;
    const { identity, pod } = holder;
    const asker: Asker = { key, identity, pod, forItself, valid: new Map() };
    this.#askers.set(key, asker);
    return asker;
  }

  #sweep(now: Date): void {
    this.#untilSweep = SWEEP_EVERY;
    for (const asker of [...this.#askers.values()]) this.#forgetExpired(asker, now);
  }

  #forgetExpired(asker: Asker, now: Date): void {
    const time = now.getTime();
    for (const [id, notAfter] of asker.valid) if (notAfter <= time) this.#forget(id, asker);
  }

  #forgetOldest(): void {
    for (const [id, asker] of this.#certificates) {
      this.#forget(id, asker);
      return;
    }
  }

  #forget(id: string, asker: Asker): void {
    this.#certificates.delete(id);
    asker.valid.delete(id);
    if (asker.valid.size === 0) this.#askers.delete(asker.key);
  }
}

/** Half of the digest is enough for what nobody chooses twice. */
const KEY_DIGITS = 32;

function idOf({
  serial,
  publicKeySha256,
}: Pick<NotedCertificate, "serial" | "publicKeySha256">): string {
  return `${serial}/${publicKeySha256.slice(0, KEY_DIGITS)}`;
}

function keyOf({ identity, pod }: CertificateHolder): string {
  return `${pod.namespace}/${pod.podName}/${pod.podUid}/${pod.serviceAccount} ${identity}`;
}
