/** By which names a service is called. */

/** `api.production.svc.cluster.local`: a service's full name. */
export function serviceHost({ namespace, name }: { namespace: string; name: string }): string {
  return `${name}.${namespace}.svc.cluster.local`;
}

/** The TLS server name of a service port, or of a subset of it (TLS-33). */
export function serverNameOf(host: string, servicePort: number, subset = ""): string {
  return `outbound_.${servicePort}_.${subset}_.${host}`;
}
