/** What a request must be like for a route: all that is said must hold. Plain data. */

export interface HttpMatch {
  /** Absent: any path. Of a path its query is no part. */
  readonly path?: PathMatch;
  readonly method?: TextMatch;
  /** As received, with its port. */
  readonly authority?: TextMatch;
  readonly scheme?: TextMatch;
  readonly headers?: readonly NamedMatch[];
  readonly queryParams?: readonly NamedMatch[];
  /** Of the verified token (JWT-68). */
  readonly claims?: readonly ClaimMatch[];
  /** Of the service, in a sidecar; at a gateway it is settled when the view is made. */
  readonly port?: number;
}

export type PathMatch =
  | ((
      | { readonly kind: "exact"; readonly path: string }
      /** Of the text: `/api` is for `/apis` too. */
      | { readonly kind: "prefix"; readonly path: string }
      /** Of whole segments: `/api` is for `/api` and `/api/x`. Without "/" at its end. */
      | { readonly kind: "segments"; readonly path: string }
    ) & { readonly letterCase?: "ignored" })
  | { readonly kind: "pattern"; readonly pattern: string };

export type TextMatch =
  | { readonly kind: "exact"; readonly text: string }
  | { readonly kind: "prefix"; readonly text: string }
  /** RE2, of the whole text. */
  | { readonly kind: "pattern"; readonly pattern: string };

/** One header or parameter. */
export interface NamedMatch {
  /** Of a header in lower case. */
  readonly name: string;
  /** "present": with any value. */
  readonly value: TextMatch | "present";
  /** The route is for requests of which the rest does not hold; what is absent is taken for empty. */
  readonly not?: true;
}

export interface ClaimMatch {
  /** `["group", "id"]`: of a claim within a claim. */
  readonly claim: readonly string[];
  /** Of a list one item must match; "present": any text. */
  readonly value: TextMatch | "present";
  readonly not?: true;
}
