/**
 * The endpoints of one destination: who is a member, and who of them may be picked. A new view changes the members;
 * those that stay keep their counts and their history, and those that leave finish what they carry.
 */
import { BalancedEndpoint } from "./balanced-endpoint.ts";

export interface EndpointSetOptions<T> {
  /** What makes an endpoint the same one in the next view. */
  readonly keyOf: (endpoint: T) => string;
  /** With fewer members in service, in percent, all may be picked; 0: never. */
  readonly minHealthPercent?: number;
}

/**
 * Envoy never panics while the members in service, times this, are all there ever were: below 71.4 % alone
 * (`overprovisioning_factor`, `recalculatePerPriorityPanic`).
 */
const OVERPROVISIONING_PERCENT = 140;
/** Before those are looked for that can be forgotten: an application may call any address. */
const MOST_VISITED = 1_000;

export class EndpointSet<T> {
  readonly #keyOf: (endpoint: T) => string;
  #minHealthPercent: number;
  readonly #byKey = new Map<string, BalancedEndpoint<T>>();
  #members: readonly BalancedEndpoint<T>[] = [];
  #candidates: readonly BalancedEndpoint<T>[] = [];
  #ejected = 0;
  #mode: "normal" | "panic" = "normal";

  constructor({ keyOf, minHealthPercent = 0 }: EndpointSetOptions<T>) {
    this.#keyOf = keyOf;
    this.#minHealthPercent = minHealthPercent;
  }

  /** In the order of the latest view. */
  get members(): readonly BalancedEndpoint<T>[] {
    return this.#members;
  }

  /**
   * Those that may be picked; empty: the call fails with UH. It is another array exactly when it may say something else,
   * so that what is built of it can be kept.
   */
  get candidates(): readonly BalancedEndpoint<T>[] {
    return this.#candidates;
  }

  /** Members that are ejected, also while all may be picked. */
  get ejectedCount(): number {
    return this.#ejected;
  }

  /** "panic": so few are in service that ejected ones serve too. */
  get mode(): "normal" | "panic" {
    return this.#mode;
  }

  set minHealthPercent(percent: number) {
    this.#minHealthPercent = percent;
    this.#chooseCandidates();
  }

  /** A member, or one that left and is not idle yet. */
  find(key: string): BalancedEndpoint<T> | undefined {
    return this.#byKey.get(key);
  }

  /** Makes these the members. One that left and comes back while it drains has its counts still, and a clean record. */
  update(endpoints: readonly T[]): void {
    const members = new Set<BalancedEndpoint<T>>();
    for (const endpoint of endpoints) {
      const member = this.#known(endpoint);
      // Of two with one key the first counts.
      if (!members.has(member)) member.endpoint = endpoint;
      members.add(member);
    }
    const inOrder = [...members];
    if (isSameList(inOrder, this.#members)) return;
    for (const former of this.#members) if (!members.has(former)) this.#dismiss(former);
    for (const member of members) if (member.state === "draining") member.state = "serving";
    this.#members = inOrder;
    this.#chooseCandidates();
  }

  /**
   * One that is no member, and is called all the same, by its own address. It is forgotten once it is idle.
   *
   * @param isSame whether what is known of it still says the same
   */
  visit(endpoint: T, isSame: (known: T) => boolean): BalancedEndpoint<T> {
    if (this.#byKey.size > MOST_VISITED) this.takeDrained();
    const visited = this.#known(endpoint);
    if (!this.#members.includes(visited)) visited.state = "draining";
    if (!isSame(visited.endpoint)) visited.endpoint = endpoint;
    return visited;
  }

  /** Leaves a member out until it is restored. Others, and one that is ejected already, are left as they are. */
  eject(endpoint: BalancedEndpoint<T>): void {
    if (endpoint.state !== "serving") return;
    endpoint.state = "ejected";
    this.#ejected++;
    this.#chooseCandidates();
  }

  restore(endpoint: BalancedEndpoint<T>): void {
    if (endpoint.state !== "ejected") return;
    endpoint.state = "serving";
    this.#ejected--;
    this.#chooseCandidates();
  }

  /** Forgets endpoints that have left and carry nothing any more, and says which: their pools can go. */
  takeDrained(): readonly BalancedEndpoint<T>[] {
    const drained: BalancedEndpoint<T>[] = [];
    for (const endpoint of this.#byKey.values()) {
      if (endpoint.state !== "draining" || !endpoint.isIdle) continue;
      this.#byKey.delete(endpoint.key);
      drained.push(endpoint);
    }
    return drained;
  }

  #known(endpoint: T): BalancedEndpoint<T> {
    const key = this.#keyOf(endpoint);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const made = new BalancedEndpoint(key, endpoint);
    this.#byKey.set(key, made);
    return made;
  }

  /** As in Envoy, an endpoint that comes back is a new one to outlier detection. */
  #dismiss(endpoint: BalancedEndpoint<T>): void {
    if (endpoint.state === "ejected") this.#ejected--;
    endpoint.state = "draining";
    endpoint.outlier.forgetEverything();
  }

  #chooseCandidates(): void {
    this.#mode = this.#isInPanic() ? "panic" : "normal";
    const everybody = this.#mode === "panic" || this.#ejected === 0;
    this.#candidates = everybody
      ? this.#members
      : this.#members.filter(({ state }) => state === "serving");
  }

  /** `isHostSetInPanic` and `recalculatePerPriorityPanic` in Envoy's `load_balancer_impl.cc`. */
  #isInPanic(): boolean {
    const members = this.#members.length;
    const serving = members - this.#ejected;
    if (members === 0) return false;
    if (Math.floor((OVERPROVISIONING_PERCENT * serving) / members) >= 100) return false;
    return (100 * serving) / members < this.#minHealthPercent;
  }
}

function isSameList<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((each, index) => each === other[index]);
}
