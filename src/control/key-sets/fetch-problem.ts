/** Why a document could not be had, as its owner can act on it. */

/** The control plane of a mesh whose pods have networks of their own is in a network that leads nowhere else. */
const NO_WAY_OUT =
  "where pods have networks of their own, the control plane has no way out of the mesh: write the keys as jwks, or start the mesh with --network loopback";

/** What the system says, and what it means where that is known. Never throws. */
export function fetchProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message } = error;
  const isUnreachable = "code" in error && error.code === "ENETUNREACH";
  return isUnreachable ? `${message}; ${NO_WAY_OUT}` : message;
}
