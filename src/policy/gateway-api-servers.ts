/** The servers that Gateways of the Gateway API offer a gateway workload: one for each of their listeners. */

import type { GatewayServerSettings, ServerTlsSettings } from "../api/gateway.ts";
import { GATEWAY_GROUP } from "../api/gateway-api/gateway-api-values.ts";
import { OWN_CLASSES, OWN_CONTROLLERS } from "../api/gateway-api/gateway-class.ts";
import type {
  GatewayListenerSettings,
  KubernetesGateway,
} from "../api/gateway-api/kubernetes-gateway.ts";
import { isGranted } from "../api/gateway-api/reference-grant.ts";
import { terminateMode } from "../api/gateway-api/terminate-mode.ts";
import { quoted } from "../api/quoted.ts";
import type { OfferedServer } from "./gateway-servers.ts";
import type { SecretLookup } from "./gateway-tls.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { containerPortOf } from "./offered-servers.ts";
import { boundHttpRoutes } from "./routes/bound-http-routes.ts";
import { httpRouteSource } from "./routes/http-route-source.ts";
import { serviceHost } from "./service-host.ts";
import type { Workload } from "./workload.ts";

/** The label of the pods that are made for a Gateway; its value is the Gateway's name. */
const GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name";
/** Of an RSA key, and of an elliptic curve. */
const MOST_CERTIFICATES = 2;

export function gatewayApiServers(
  snapshot: MeshSnapshot,
  workload: Workload,
): readonly OfferedServer[] {
  return snapshot.gatewayApi.gateways
    .filter((gateway) => isForWorkload(snapshot, { gateway, workload }))
    .flatMap((gateway) =>
      gateway.listeners.map((listener) => offeredServer(snapshot, { gateway, listener, workload })),
    );
}

/** Whether a Gateway's class is one that is run here. */
function isOwnClass(
  { gatewayApi: { classes } }: Pick<MeshSnapshot, "gatewayApi">,
  className: string,
): boolean {
  const written = classes.find(({ meta }) => meta.name === className);
  if (written !== undefined) return OWN_CONTROLLERS.has(written.controllerName);
  return OWN_CLASSES.has(className);
}

/** Made for it, or behind a Service that it names. */
export function isForWorkload(
  snapshot: MeshSnapshot,
  {
    gateway: { meta, className, serviceHosts },
    workload,
  }: { readonly gateway: KubernetesGateway; readonly workload: Workload },
): boolean {
  if (workload.namespace !== meta.namespace || !isOwnClass(snapshot, className)) return false;
  if (serviceHosts.length === 0) return workload.labels[GATEWAY_NAME_LABEL] === meta.name;
  return (snapshot.servicesByNamespace.get(meta.namespace) ?? []).some(
    ({ service, workloads }) =>
      workloads.includes(workload) && serviceHosts.includes(serviceHost(service.meta)),
  );
}

interface Listening {
  readonly gateway: KubernetesGateway;
  readonly listener: GatewayListenerSettings;
}

function offeredServer(
  snapshot: MeshSnapshot,
  { gateway, listener, workload }: Listening & { readonly workload: Workload },
): OfferedServer {
  const { namespace, name, source } = gateway.meta;
  const key = `${namespace}/${name}/${listener.name}`;
  return {
    origin: {
      ref: { kind: "Gateway", namespace, name },
      source: { file: source.file, line: listener.line },
    },
    gateway: key,
    listenerOf: `${namespace}/${name}`,
    settings: settingsOf({ gateway, listener }),
    port: listener.port,
    containerPort: containerPortOf(snapshot, { workload, port: listener.port }),
    hosts: [{ host: listener.hostname ?? "*" }],
    secretNamed: grantedSecrets(snapshot, gateway),
    sources: boundHttpRoutes(snapshot, { gateway, listener }).map((route) =>
      httpRouteSource(route, snapshot.gatewayApi),
    ),
  };
}

const PROTOCOLS = { HTTP: "http", HTTPS: "https", TLS: "tls", TCP: "tcp" } as const;

function settingsOf({ gateway, listener }: Listening): GatewayServerSettings {
  const { line, name, port: number, protocol, hostname = "*" } = listener;
  const tls = tlsSettings({ gateway, listener });
  return {
    line,
    name,
    port: { number, name, protocol: PROTOCOLS[protocol] },
    hosts: [hostname],
    ...(tls && { tls }),
  };
}

function tlsSettings({ gateway, listener: { tls } }: Listening): ServerTlsSettings | undefined {
  if (tls === undefined) return undefined;
  return {
    mode: tls.mode === "Passthrough" ? "PASSTHROUGH" : terminateMode(tls.options),
    httpsRedirect: false,
    credentialNames: tls.certificateRefs
      .slice(0, MOST_CERTIFICATES)
      .map(({ namespace = gateway.meta.namespace, name }) => `${namespace}/${name}`),
    files: [],
    subjectAltNames: [],
    verifyCertificateHash: [],
    verifyCertificateSpki: [],
    minProtocolVersion: "",
    maxProtocolVersion: "",
    cipherSuites: [],
    ecdhCurves: [],
  };
}

/** Of the Gateway's namespace, and of others where a ReferenceGrant there says so. */
function grantedSecrets(
  { gatewayApi: { grants }, secrets }: Pick<MeshSnapshot, "gatewayApi" | "secrets">,
  { meta }: KubernetesGateway,
): SecretLookup {
  const from = { group: GATEWAY_GROUP, kind: "Gateway", namespace: meta.namespace };
  return (full) => {
    const [namespace = "", name = ""] = full.split("/");
    const to = { group: "", kind: "Secret", namespace, name };
    if (!isGranted(grants, { from, to })) {
      return `certificateRefs: no ReferenceGrant in ${namespace} lets Gateways of ${meta.namespace} name its Secret ${quoted(name)}`;
    }
    return secrets.get(full) ?? `Secret ${full} is not there`;
  };
}
