/**
 * Whether istiod passes on the warnings of a part. Of subsets, ports and string matches it keeps the errors only, and
 * what it does not say is not said here either.
 */
export type Warnings = "passed on" | "dropped";
