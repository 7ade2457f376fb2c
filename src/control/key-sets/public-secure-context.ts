/** What TLS to an issuer is verified by, made once: to read all of the system's roots takes 30 ms, in which nothing else is done. */
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { TLS_GROUPS } from "../../runtime/tls-groups.ts";

/** Of the roots that were asked for last; they change with the mesh configuration alone. */
let newest: { readonly extraRoots: string; readonly context: SecureContext } | undefined;

/**
 * JWT-86
 *
 * @param extraRootsPem of authorities that are trusted beside the system's
 */
export function publicSecureContext(extraRootsPem: readonly string[]): SecureContext {
  const extraRoots = extraRootsPem.join("\n");
  if (newest?.extraRoots === extraRoots) return newest.context;
  const context = createSecureContext({
    minVersion: "TLSv1.2",
    ecdhCurve: TLS_GROUPS,
    ca: [...rootCertificates, ...extraRootsPem],
  });
  newest = { extraRoots, context };
  return context;
}
