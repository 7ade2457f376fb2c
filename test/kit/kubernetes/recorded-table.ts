import type {
  JsonObject,
  KubernetesObject,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";

/** The objects of one kind, and how the server prints them. */
export interface RecordedTable {
  readonly apiVersion: string;
  readonly kind: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly objects: readonly KubernetesObject[];
  readonly columnDefinitions: readonly JsonObject[];
  /** Without their objects. */
  readonly rows: readonly JsonObject[];
}
