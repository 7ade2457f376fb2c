/** How another cluster does, as `hauberk status` and the metrics show it. Plain data. */

/** What the control plane's socket answers to `remote-clusters`. */
export interface RemoteClustersOverview {
  /** What this mesh calls itself. */
  readonly cluster: string;
  readonly trustDomain: string;
  /** `address:port` of this mesh's control plane. */
  readonly listen: string;
  /** One for each RemoteCluster in force, in the order of names. */
  readonly remoteClusters: readonly RemoteClusterState[];
}

export interface RemoteClusterState {
  /** Name of the RemoteCluster. */
  readonly cluster: string;
  /** `address:port` of its control plane. */
  readonly server: string;
  /** "connecting" until the first answer or failure; "away" keeps the last good services in use until they are dropped. */
  readonly phase: "connecting" | "connected" | "away";
  /** ISO 8601: when this phase began. */
  readonly since: string;
  /** Why it is away. */
  readonly problem?: string;
  /** Of its services that are in use here. */
  readonly services: number;
  readonly endpoints: number;
  /** ISO 8601: until when its services are known to be what it says; absent before the first answer. */
  readonly heardAt?: string;
  /** It was away for too long: nothing of it is in use. */
  readonly dropped: boolean;
  /** What of its services was not admitted, in words; the first few. */
  readonly refusals: readonly string[];
}
