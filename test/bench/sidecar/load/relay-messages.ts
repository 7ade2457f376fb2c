/** What the benchmark and the relay before a callee's proxy tell each other. */

export type RelayOrder =
  | { readonly kind: "start"; readonly port: number; readonly endpoints: number }
  | { readonly kind: "count" };

export type RelayReport =
  | { readonly kind: "listening"; readonly ports: readonly number[] }
  /** So far. */
  | { readonly kind: "count"; readonly connections: number };
