/** Who plays in an example: written down here, apart from its YAML, so that a wrong identity there is found. */
export interface Actor {
  /** The Deployment's name. */
  readonly owner: string;
  readonly namespace: string;
  /** Absent: it has no sidecar and proves nothing. */
  readonly serviceAccount?: string;
}

/** An actor that others call, on one port. */
export interface Callee extends Actor {
  readonly port: number;
}

const TRUST_DOMAIN = "spiffe://cluster.local/ns/";

/** @returns null for whoever proves nothing, as the access log has it */
export function identityOf({ namespace, serviceAccount }: Actor): string | null {
  return serviceAccount === undefined ? null : `${TRUST_DOMAIN}${namespace}/sa/${serviceAccount}`;
}

/** `production/frontend`: the parts of an identity that differ between workloads of one mesh. */
export function shortenIdentity(id: string | null): string {
  return id === null ? "nobody" : id.replace(TRUST_DOMAIN, "").replace("/sa/", "/");
}
