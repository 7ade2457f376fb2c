/** Every flag of Istio that concerns security: where it is set, its default, and whether it is honoured here. */
import { CONTROL_PLANE_FLAG_NAMES } from "./control-plane-flags.ts";

export interface MeshFlag {
  readonly name: string;
  /** As Istio has it, and, where the flag is honoured, as it is here. */
  readonly fallback: string;
  readonly rule: string;
  /** Absent where it is honoured. */
  readonly instead?: string;
}

/** Where Istio's users set flags. */
export interface FlagPlace {
  readonly title: string;
  readonly flags: readonly MeshFlag[];
}

const MESH_CONFIG: readonly MeshFlag[] = [
  { name: "trustDomain", fallback: "cluster.local", rule: "CA-18" },
  { name: "trustDomainAliases", fallback: "none", rule: "CA-55" },
  { name: "rootNamespace", fallback: "istio-system", rule: "CA-57" },
  { name: "enableAutoMtls", fallback: "true", rule: "TLS-20" },
  { name: "pathNormalization.normalization", fallback: "DEFAULT, which is BASE", rule: "AP-100" },
  { name: "meshMTLS.minProtocolVersion", fallback: "TLS_AUTO, which is TLSV1_2", rule: "TLS-10" },
  { name: "outboundTrafficPolicy.mode", fallback: "ALLOW_ANY", rule: "–" },
  { name: "defaultConfig.proxyMetadata", fallback: "none", rule: "CA-30" },
  {
    name: "defaultConfig.proxyHeaders.forwardedClientCert",
    fallback: "APPEND_FORWARD",
    rule: "OBS-30",
  },
  {
    name: "defaultConfig.proxyHeaders.setCurrentClientCertDetails",
    fallback: "subject, uri, dns",
    rule: "OBS-30",
  },
  { name: "defaultConfig.proxyHeaders.requestId.disabled", fallback: "false", rule: "–" },
  { name: "defaultConfig.concurrency", fallback: "as the CPU limit says; here 1", rule: "–" },
  {
    name: "extensionProviders",
    fallback: "prometheus, stackdriver, envoy",
    rule: "EA-1, OBS-3",
    instead:
      "external authorizers are asked, access logs written into files, spans sent by OpenTelemetry; the other kinds have no effect",
  },
  {
    name: "accessLogFile, accessLogEncoding, accessLogFormat",
    fallback: "off, TEXT, Istio's own",
    rule: "OBS-1, OBS-2, OBS-3",
  },
  { name: "defaultProviders.accessLogging", fallback: "none", rule: "OBS-10" },
  { name: "disableEnvoyListenerLog", fallback: "false", rule: "OBS-4" },
];

const HONOURED_BY_CONTROL_PLANE: Readonly<
  Record<(typeof CONTROL_PLANE_FLAG_NAMES)[number], Omit<MeshFlag, "name">>
> = {
  DEFAULT_WORKLOAD_CERT_TTL: { fallback: "24h", rule: "CA-10" },
  MAX_WORKLOAD_CERT_TTL: { fallback: "90d, written 2160h", rule: "CA-10" },
  CITADEL_SELF_SIGNED_CA_CERT_TTL: { fallback: "3650d, written 87600h", rule: "CA-40" },
  CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE: { fallback: "20", rule: "CA-42" },
  CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL: {
    fallback: "1h; 0 or less is never, else it is looked at all the time",
    rule: "CA-42",
  },
  ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY: { fallback: "true", rule: "AP-15" },
  PILOT_SCOPE_GATEWAY_TO_NAMESPACE: { fallback: "false", rule: "PA-21" },
  CA_TRUSTED_NODE_ACCOUNTS: { fallback: "none", rule: "CA-9" },
};

const CONTROL_PLANE: readonly MeshFlag[] = [
  ...CONTROL_PLANE_FLAG_NAMES.map((name) => ({ name, ...HONOURED_BY_CONTROL_PLANE[name] })),
  {
    name: "CITADEL_SELF_SIGNED_CA_RSA_KEY_SIZE",
    fallback: "2048",
    rule: "CA-40",
    instead: "the authority's key is P-256",
  },
  {
    name: "ROOT_CA_DIR",
    fallback: "./etc/cacerts",
    rule: "CA-43",
    instead: "`hauberk up --cacerts FOLDER`",
  },
  {
    name: "ISTIO_MULTIROOT_MESH",
    fallback: "false",
    rule: "CA-46, CA-53",
    instead: "always as if true: while authorities change, the roots of both are trusted",
  },
  {
    name: "PILOT_ENABLE_CA_CRL",
    fallback: "true",
    rule: "CA-50",
    instead: "always on: `ca-crl.pem` in the folder of a custom authority",
  },
  {
    name: "USE_CACERTS_FOR_SELF_SIGNED_CA",
    fallback: "false",
    rule: "CA-41",
    instead: "there are no Secrets of a cluster",
  },
  {
    name: "TOKEN_AUDIENCES",
    fallback: "istio-ca",
    rule: "CA-5",
    instead: "the audience is istio-ca",
  },
  {
    name: "TRUSTED_GATEWAY_CIDR",
    fallback: "none",
    rule: "CA-5",
    instead: "no address is believed for what it says of others",
  },
  {
    name: "PILOT_ENABLE_XDS_IDENTITY_CHECK",
    fallback: "true",
    rule: "CA-56",
    instead: "always on",
  },
  {
    name: "PILOT_SKIP_VALIDATE_TRUST_DOMAIN",
    fallback: "false",
    rule: "TLS-4",
    instead: "the trust domain of a peer is always checked",
  },
  {
    name: "ENABLE_TLS_ON_SIDECAR_INGRESS",
    fallback: "false",
    rule: "PA-42",
    instead: "a mesh with a Sidecar is refused",
  },
  {
    name: "PILOT_DISABLE_MX_ALPN",
    fallback: "false",
    rule: "TLS-35",
    instead: "sidecars exchange no metadata",
  },
  {
    name: "PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS",
    fallback: "false",
    rule: "AP-122",
    instead: "always as if true: each provider whose rules match has to allow",
  },
  {
    name: "AMBIENT_ENABLE_DRY_RUN_AUTHORIZATION_POLICY",
    fallback: "false",
    rule: "AP-114",
    instead: "there is no ambient mode; dry run always works",
  },
  {
    name: "PILOT_JWT_ENABLE_REMOTE_JWKS, PILOT_JWT_PUB_KEY_REFRESH_INTERVAL, BLOCKED_CIDRS_IN_JWKS_URIS, JWKS_RESOLVER_INSECURE_SKIP_VERIFY",
    fallback: "false, 20m, none, false",
    rule: "JWT-81, JWT-82, JWT-85, JWT-86",
    instead:
      "keys are fetched by the control plane, verified, every 20 minutes, from public addresses and those that hauberk.jwks.allowedAddresses lists",
  },
  {
    name: "COMPLIANCE_POLICY",
    fallback: "none",
    rule: "TLS-12",
    instead: "TLS is as meshMTLS says",
  },
];

const SIDECAR: readonly MeshFlag[] = [
  { name: "SECRET_TTL", fallback: "24h", rule: "CA-30" },
  { name: "SECRET_GRACE_PERIOD_RATIO", fallback: "0.5", rule: "CA-31" },
  { name: "SECRET_GRACE_PERIOD_RATIO_JITTER", fallback: "0.01", rule: "CA-31" },
  {
    name: "WORKLOAD_RSA_KEY_SIZE, ECC_SIGNATURE_ALGORITHM, ECC_CURVE, PKCS8_KEY",
    fallback: "2048, none, P256, false",
    rule: "CA-19",
    instead: "a workload's key is P-256, and never leaves its sidecar",
  },
  {
    name: "CA_PROVIDER, CA_ADDR",
    fallback: "Citadel, the discovery address",
    rule: "CA-34",
    instead: "certificates come from the control plane",
  },
];

export const MESH_FLAGS: readonly FlagPlace[] = [
  { title: "In the mesh configuration", flags: MESH_CONFIG },
  { title: "In the environment of `hauberk up` and `hauberk demo`", flags: CONTROL_PLANE },
  {
    title: "In `proxyMetadata`, of the mesh or of a pod (`proxy.istio.io/config`)",
    flags: SIDECAR,
  },
];
