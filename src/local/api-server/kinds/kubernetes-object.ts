/** Objects as the Kubernetes API carries them: JSON, of which only what every kind has is known here. */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [field: string]: JsonValue | undefined;
}

/** Source: Kubernetes ObjectMeta, meta/v1. */
export interface ObjectMeta extends JsonObject {
  readonly name?: string;
  /** A prefix: the server completes it to a name. */
  readonly generateName?: string;
  /** Absent for kinds that live in none. */
  readonly namespace?: string;
  readonly uid?: string;
  /** A decimal number that grows with each change of any object; compared for equality alone by clients. */
  readonly resourceVersion?: string;
  /** How often the wanted state, all but metadata and status, has changed; counts from 1. */
  readonly generation?: number;
  /** RFC 3339, whole seconds, UTC. */
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: { readonly [key: string]: string };
  readonly annotations?: { readonly [key: string]: string };
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly JsonObject[];
  readonly managedFields?: readonly JsonObject[];
}

export interface KubernetesObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}
