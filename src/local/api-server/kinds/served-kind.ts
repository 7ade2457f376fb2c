/** What the API server knows of a kind it serves. One value a kind; what is common to all is done by the server. */
import type { JsonValue, KubernetesObject } from "./kubernetes-object.ts";
import type { Structure } from "./structure.ts";

/** Of the resource itself; "status" and the like are subresources. */
export type Verb =
  | "create"
  | "delete"
  | "deletecollection"
  | "get"
  | "list"
  | "patch"
  | "update"
  | "watch";

export type Subresource = "status" | "scale" | "log" | "exec" | "portforward" | "token";

/** A column of `kubectl get`. Source: meta/v1 TableColumnDefinition. */
export interface PrinterColumn {
  readonly name: string;
  /** OpenAPI type: "string", "integer", "date", "boolean". */
  readonly type: string;
  /** "name" for the column of names, "" for most. */
  readonly format: string;
  readonly description: string;
  /** 0: always shown; above: with `-o wide` alone. */
  readonly priority: number;
  /** @param now milliseconds since the epoch, for ages */
  readonly cell: (object: KubernetesObject, now: number) => JsonValue;
}

export interface ServedKind {
  /** "" for the core group. */
  readonly group: string;
  /** As in `apiVersion` behind the group; the preferred one, which is also the stored one, first. All have one structure. */
  readonly versions: readonly [string, ...string[]];
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  readonly subresources: readonly Subresource[];
  /** Kubernetes' own kinds take strategic merge patches and protobuf bodies; kinds defined by resources do not. */
  readonly origin: "built-in" | "custom";
  /** How lists and maps of an object merge, and who owns which part. */
  readonly structure: Structure;
  readonly columns: readonly PrinterColumn[];
  /** What a server writes into fields that the client left out; absent where there is nothing. */
  readonly withDefaults?: (object: KubernetesObject) => KubernetesObject;
  /** What an update leaves as the server had it, worked out after `trackUpdate`: it is nobody's. */
  readonly carriedOver?: (before: KubernetesObject, after: KubernetesObject) => KubernetesObject;
}
