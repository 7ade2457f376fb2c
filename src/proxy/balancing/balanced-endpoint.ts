/** One endpoint of a destination, with what is known of it and how much goes on there. */
import { LimitedResource } from "./limited-resource.ts";
import { OutlierRecord } from "./outlier-record.ts";

/** "draining": it is no member any more, gets nothing new, and finishes what it has. */
export type EndpointState = "serving" | "ejected" | "draining";

/** Only `EndpointSet` changes its state and what it describes. */
export class BalancedEndpoint<T> {
  readonly key: string;
  /** As the latest view describes it. */
  endpoint: T;
  state: EndpointState = "serving";
  readonly outlier: OutlierRecord = new OutlierRecord();
  /** Held by each request from the pick until its response has ended: what least request compares. */
  readonly requests: LimitedResource = new LimitedResource();
  /** Held by each connection from before dialling until its socket is closed. */
  readonly connections: LimitedResource = new LimitedResource();

  constructor(key: string, endpoint: T) {
    this.key = key;
    this.endpoint = endpoint;
  }

  get isIdle(): boolean {
    return this.requests.inUse === 0 && this.connections.inUse === 0;
  }
}
