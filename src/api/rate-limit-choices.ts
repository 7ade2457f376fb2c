/** What users choose from in a RateLimit: also read from views, by sidecars that read no resources. */

/** "Local": each pod counts for itself; "Global": the mesh counts together. */
export const LIMIT_SCOPES = ["Local", "Global"] as const;
export type LimitScope = (typeof LIMIT_SCOPES)[number];

/** "Shadow": counted and logged, never enforced. */
export const LIMIT_MODES = ["Enforce", "Shadow"] as const;
export type LimitMode = (typeof LIMIT_MODES)[number];

/** What becomes of a request while those who count for the mesh cannot be asked; "Local": the pod counts for itself. */
export const UNAVAILABLE_CHOICES = ["Local", "Allow", "Deny"] as const;
export type WhenUnavailable = (typeof UNAVAILABLE_CHOICES)[number];

/** Which answers tell of the limit, in `RateLimit` and `RateLimit-Policy`. */
export const LIMIT_HEADERS = ["WhenRefused", "Always", "Never"] as const;
export type LimitHeaders = (typeof LIMIT_HEADERS)[number];
