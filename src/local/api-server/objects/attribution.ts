/** Who writes, for `managedFields`. */
export interface Attribution {
  readonly manager: string;
  /** In which version of its kind the writer speaks, as `apiVersion` has it. */
  readonly apiVersion: string;
  readonly subresource?: "status" | "scale";
}
