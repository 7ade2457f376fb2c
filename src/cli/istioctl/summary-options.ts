/** What all of istioctl's summaries have in common. */

export interface SummaryOptions {
  /** Whose is shown: a sidecar of this mesh, whose tables tell more, or an Envoy whose dump lies in a file. */
  readonly of: "sidecar" | "envoy";
  /** With the kind of each row as its first column, as `proxy-config all` has it. */
  readonly kinds?: boolean;
}
