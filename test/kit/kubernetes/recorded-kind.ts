/** What a server tells of a kind. */
export interface RecordedKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
  /** Of kinds that resources define: each field with how it merges, as `.spec.ports[name]`, `.spec.labels.*`. */
  readonly fields?: readonly string[];
}
