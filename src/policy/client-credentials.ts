/**
 * Which certificates a client's proxy may use for TLS to others: files of the machine, or a Secret, whose keys go to no
 * other view (TLS-39).
 */
import type { OriginatedTls } from "../api/client-tls.ts";
import { quoted } from "../api/quoted.ts";
import type { Secret } from "../api/secret.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { mayListSecrets } from "./secret-access.ts";
import type { TlsMaterial } from "./tls-origination.ts";
import type { Workload } from "./workload.ts";

/** What a rule's `tls` stands for, for one client. */
export type CredentialLookup = (
  tls: OriginatedTls,
  rule: { readonly hasSelector?: true },
) => TlsMaterial;

export type CredentialClient = Pick<Workload, "namespace" | "serviceAccount" | "gateway">;

/** By which keys of a Secret the parts are called, the first that is there. */
const KEYS = {
  certificate: ["cert", "tls.crt"],
  key: ["key", "tls.key"],
  authorities: ["cacert", "ca.crt"],
  revocations: ["crl", "ca.crl"],
} as const;
/** Of a Secret that has only the authorities. */
const AUTHORITIES_SUFFIX = "-cacert";

/**
 * A Secret is for gateways of its namespace, and for sidecars of its namespace that a rule selects by
 * `workloadSelector`, a rule for all would give its keys to all (TLS-39), and whose service account may list Secrets.
 */
export function compileCredentials(
  snapshot: Pick<MeshSnapshot, "secrets" | "roles" | "roleBindings">,
  client: CredentialClient,
): CredentialLookup {
  const { namespace, serviceAccount, gateway } = client;
  return (tls, { hasSelector }) => {
    const { credentialName: name } = tls;
    if (name === undefined) return filesOf(tls);
    if (gateway === undefined && hasSelector === undefined) {
      return nowhere(
        `credentialName ${quoted(name)} needs a workloadSelector in the DestinationRule, unless a gateway calls (TLS-39)`,
      );
    }
    if (gateway === undefined && !mayListSecrets(snapshot, client)) {
      return nowhere(
        `service account ${namespace}/${serviceAccount} may not list Secrets: a Role with the resource secrets and the verb list, and a RoleBinding, would allow it`,
      );
    }
    return secretMaterial(tls, { secrets: snapshot.secrets, namespace, name });
  };
}

function filesOf({
  caCertificates,
  caCrl,
  clientCertificate,
  privateKey,
}: OriginatedTls): TlsMaterial {
  return {
    from: "files",
    ...(caCertificates !== undefined && { caCertificates }),
    ...(caCrl !== undefined && { caCrl }),
    ...(clientCertificate !== undefined && { clientCertificate }),
    ...(privateKey !== undefined && { privateKey }),
  };
}

function secretMaterial(
  { mode, insecureSkipVerify }: OriginatedTls,
  {
    secrets,
    namespace,
    name,
  }: {
    readonly secrets: MeshSnapshot["secrets"];
    readonly namespace: string;
    readonly name: string;
  },
): TlsMaterial {
  const full = `${namespace}/${name}`;
  const own = secrets.get(full);
  const caPem = textAt(secrets.get(`${full}${AUTHORITIES_SUFFIX}`) ?? own, KEYS.authorities);
  const crlPem = textAt(own, KEYS.revocations);
  const [certificatePem, keyPem] = [textAt(own, KEYS.certificate), textAt(own, KEYS.key)];
  if (own === undefined && caPem === undefined) {
    return nowhere(`Secret ${full} is not there`);
  }
  if (caPem === undefined && insecureSkipVerify === undefined) {
    return nowhere(`Secret ${full} has no ${KEYS.authorities.join(" or ")}`);
  }
  if (mode === "SIMPLE") return { from: "secret", name: full, caPem: caPem ?? "", ...list(crlPem) };
  if (certificatePem === undefined || keyPem === undefined) {
    return nowhere(`Secret ${full} has no certificate and key (tls.crt and tls.key)`);
  }
  const proof = { certificatePem, keyPem };
  return { from: "secret", name: full, caPem: caPem ?? "", ...list(crlPem), ...proof };
}

function list(crlPem: string | undefined): { readonly crlPem?: string } {
  return crlPem === undefined ? {} : { crlPem };
}

function textAt(secret: Secret | undefined, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = secret?.data.get(key);
    if (value !== undefined && value.length > 0) return Buffer.from(value).toString("utf8");
  }
  return undefined;
}

function nowhere(problem: string): TlsMaterial {
  return { from: "nowhere", problem };
}
