/** One case of upstream's end-to-end tests: who calls whom with what, in which mesh, and what comes of it. */
import type { ConformanceCase } from "../suite-runner.ts";

export type E2eCase = ConformanceCase & {
  readonly setup?: Setup;
  /** The policies' file, from the folder of the table. */
  readonly renderedPolicies?: string;
  readonly from: From;
  readonly to: To;
  readonly expected: Expected;
};

export interface Setup {
  readonly meshConfig?: Readonly<Record<string, unknown>>;
  readonly extensionProviders?: readonly unknown[];
  /** By `NAMESPACE/WORKLOAD`. */
  readonly addWorkloadLabels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What the external authorizer answers, in upstream's words. */
  readonly authorizer?: string;
  /** Two subsets of a service, in upstream's words. */
  readonly workload?: string;
  readonly pilotEnv?: Readonly<Record<string, string>>;
  readonly proxyMetadata?: Readonly<Record<string, string>>;
  /** Data of Secrets, by name: each a text, or the name of a fixture. */
  readonly secretsInGatewayNamespace?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly [field: string]: unknown;
}

/** Of the ambient table: what stands before a workload. "none" is outside the mesh. */
export type Mode =
  | "none"
  | "sidecar"
  | "ztunnel"
  | "ztunnel+waypoint-service"
  | "ztunnel+waypoint-workload";

export interface From {
  readonly ns: string;
  readonly workload: string;
  readonly sa?: string;
  readonly sidecar?: boolean;
  readonly mode?: Mode;
  /** A client outside the mesh; `workload` is the gateway that it calls. */
  readonly external?: boolean;
  /** Names a file, and the trust domain in brackets: a certificate of the caller's own. */
  readonly clientCertificate?: string;
  /** "mTLS (...)": whatever the caller's sidecar would choose. */
  readonly tls?: string;
  readonly [field: string]: unknown;
}

export interface To {
  readonly ns?: string;
  readonly workload?: string;
  readonly host?: string;
  readonly port: E2ePort;
  readonly sidecar?: boolean;
  readonly mode?: Mode;
  /** Present where it is not the service that is dialled. */
  readonly dial?: string;
  /** A gateway: "ingress-gateway", "gateway", "egress-gateway". */
  readonly via?: string;
  /** Where an egress gateway leads. */
  readonly finalDestination?: { readonly ns: string; readonly workload: string };
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface E2ePort {
  readonly name?: string;
  readonly servicePort?: number | null;
  readonly workloadPort?: number;
  readonly protocol?: string;
  readonly note?: string | null;
}

export type Expected = Readonly<Record<string, unknown>>;

/** Every field that is understood, by section; some only tell something to whoever reads a case. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  setup: [
    ...["meshConfig", "extensionProviders", "authorizer", "pilotEnv"],
    ...["addWorkloadLabels", "workload"],
    ...["podLocalVariants", "ca", "proxyMetadata", "step", "note"],
    ...["secretsInGatewayNamespace", "secret", "serviceAccountMayListSecrets", "clientSecret"],
    ...["within", "serverTls", "destinationRuleTlsMode", "fakeRootCertOnGateway"],
  ],
  from: [
    ...["ns", "workload", "sa", "sidecar", "mode", "external", "clientCertificate", "tls"],
    ...["spiffe", "trusts", "note"],
  ],
  to: [
    ...["ns", "workload", "host", "address", "port", "sidecar", "mode"],
    ...["dial", "via", "finalDestination", "method", "path", "headers"],
    ...["scheme", "serverCertificate", "sni", "newConnectionPerRequest", "note"],
  ],
  port: ["name", "servicePort", "workloadPort", "protocol", "note"],
  proxyMetadata: ["ECC_SIGNATURE_ALGORITHM"],
};

/** Such as `to.address`; what is expected is known where it is compared. */
export function unknownFields({ setup = {}, from, to }: E2eCase): readonly string[] {
  const { proxyMetadata = {} } = setup;
  return Object.entries({ setup, from, to, port: to.port, proxyMetadata }).flatMap(
    ([section, fields]) =>
      Object.keys(fields)
        .filter((field) => !KNOWN[section]?.includes(field))
        .map((field) => `${section}.${field}`),
  );
}
