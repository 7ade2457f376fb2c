/**
 * What one discovery stream has asked for, been sent and answered: a plain state machine, without IO, that works as incremental xDS does.
 * One response at a time is on its way; changes meanwhile are folded into the next.
 * Protocol: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
 */
import type { WorkloadView } from "../policy/workload-view.ts";
import { encodeView } from "./encoded-view.ts";

/** Told to a client whose view does not exist. */
const ABSENT = "absent";

/** State of one subscription, for people and tests. */
export interface SubscriptionStatus {
  /** `namespace/pod` */
  readonly name: string;
  readonly versionSent?: string;
  readonly versionAcked?: string;
  /** Fingerprint of the trust in the version acknowledged; absent while that is not known. */
  readonly trustAcked?: string;
  /** What the client said against the version sent, until a later one is acknowledged. */
  readonly nackedError?: string;
}

export interface ChangedView {
  readonly name: string;
  readonly view: WorkloadView;
  /** What the client acknowledged before on this stream; absent: nothing that is known here. */
  readonly before?: WorkloadView;
}

export interface ViewUpdate {
  readonly nonce: string;
  readonly changed: readonly ChangedView[];
  readonly removed: readonly string[];
}

export type UpdateAnswer =
  | { readonly verdict: "acknowledged" | "refused"; readonly versions: ReadonlyMap<string, string> }
  | { readonly verdict: "stale" };

interface Subscription {
  sent?: string;
  acked?: string;
  /** The view of that version; absent while it is not known. */
  ackedView?: WorkloadView;
  nackedError?: string;
}

interface Outstanding {
  readonly nonce: string;
  readonly versions: ReadonlyMap<string, string>;
  /** By name. */
  readonly views: ReadonlyMap<string, WorkloadView>;
}

export class ViewSubscriptions {
  readonly #subscriptions = new Map<string, Subscription>();
  #outstanding: Outstanding | undefined;
  #nonces = 0;

  get names(): readonly string[] {
    return [...this.#subscriptions.keys()];
  }

  get isAwaitingAnswer(): boolean {
    return this.#outstanding !== undefined;
  }

  get status(): readonly SubscriptionStatus[] {
    return [...this.#subscriptions].map(([name, { sent, acked, ackedView, nackedError }]) => ({
      name,
      ...(sent === undefined ? {} : { versionSent: sent }),
      ...(acked === undefined ? {} : { versionAcked: acked }),
      ...(ackedView && { trustAcked: encodeView(ackedView).trust }),
      ...(nackedError === undefined ? {} : { nackedError }),
    }));
  }

  /** @param heldVersion what the client kept from an earlier stream: not sent again while it is current */
  subscribe(name: string, heldVersion: string | undefined): void {
    const held = heldVersion === undefined ? {} : { sent: heldVersion, acked: heldVersion };
    this.#subscriptions.set(name, held);
  }

  unsubscribe(name: string): void {
    this.#subscriptions.delete(name);
  }

  /** Takes the client's answer to a response; answers to anything but the latest are stale and change nothing. */
  answer(nonce: string, error: string | undefined): UpdateAnswer {
    const outstanding = this.#outstanding;
    if (outstanding?.nonce !== nonce) return { verdict: "stale" };
    this.#outstanding = undefined;
    const { versions, views } = outstanding;
    for (const [name, version] of versions) {
      this.#record(name, { version, view: views.get(name), error });
    }
    return { verdict: error === undefined ? "acknowledged" : "refused", versions };
  }

  /** @returns undefined when there is nothing to send, or an answer is still awaited */
  nextUpdate(views: ReadonlyMap<string, WorkloadView>): ViewUpdate | undefined {
    if (this.isAwaitingAnswer) return undefined;
    const changed: ChangedView[] = [];
    const removed: string[] = [];
    for (const [name, subscription] of this.#subscriptions) {
      const view = views.get(name);
      const version = versionOf(view);
      if (version === subscription.sent) {
        // What a client kept from an earlier stream is known again once it turns out to be current.
        if (view !== undefined && version === subscription.acked) subscription.ackedView = view;
        continue;
      }
      subscription.sent = version;
      const { ackedView: before } = subscription;
      if (view === undefined) removed.push(name);
      else changed.push({ name, view, ...(before && { before }) });
    }
    if (changed.length === 0 && removed.length === 0) return undefined;
    this.#nonces++;
    const nonce = String(this.#nonces);
    const told = new Map(changed.map(({ name, view }) => [name, view]));
    this.#outstanding = { nonce, versions: versionsOf(changed, removed), views: told };
    return { nonce, changed, removed };
  }

  #record(
    name: string,
    answer: { version: string; view: WorkloadView | undefined; error: string | undefined },
  ): void {
    const subscription = this.#subscriptions.get(name);
    if (subscription === undefined) return;
    if (answer.error !== undefined) {
      subscription.nackedError = answer.error;
      return;
    }
    subscription.acked = answer.version;
    if (answer.view === undefined) delete subscription.ackedView;
    else subscription.ackedView = answer.view;
    delete subscription.nackedError;
  }
}

function versionOf(view: WorkloadView | undefined): string {
  return view === undefined ? ABSENT : encodeView(view).version;
}

function versionsOf(
  changed: readonly ChangedView[],
  removed: readonly string[],
): ReadonlyMap<string, string> {
  return new Map([
    ...changed.map(({ name, view }): [string, string] => [name, versionOf(view)]),
    ...removed.map((name): [string, string] => [name, ABSENT]),
  ]);
}
