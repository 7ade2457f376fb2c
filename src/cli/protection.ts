/** What a mesh protects from, in one sentence for each mode: `up` says it, and `audit`. */
export const PROTECTION = {
  loopback:
    "loopback mode: all programs run as one user, so the mesh rules cooperating programs and is no boundary against a hostile one",
  namespaces:
    "namespaces mode: each pod has a network, files and processes of its own, which is a boundary against hostile programs too",
} as const;
