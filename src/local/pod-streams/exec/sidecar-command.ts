/**
 * Commands for a container `istio-proxy`, as Istio's guides write them. In a cluster they see the pod's network without its
 * sidecar; here services are found for them, since no kernel and no name server would lead them past it. Pure.
 */
import type { Resource } from "../../../api/resource.ts";
import type { Service } from "../../../api/service.ts";
import { isBehind } from "../../../policy/mesh-snapshot.ts";
import type { SocketAddress, Workload } from "../../../policy/workload.ts";

export type Command = readonly [string, ...string[]];

/** A question to the sidecar's administration. */
export interface AdminQuestion {
  readonly method: "GET" | "POST";
  /** With its query. */
  readonly path: string;
}

/** @returns what `pilot-agent request`, or curl at the agent's ports, asks; undefined for any other command */
export function adminQuestion([program, ...parameters]: Command): AdminQuestion | undefined {
  if (program === "pilot-agent" && parameters[0] === "request") {
    const [, method = "", path = ""] = parameters;
    return toAdministration(method, path.startsWith("/") ? path : `/${path}`);
  }
  return program === "curl" ? curlQuestion(parameters) : undefined;
}

/** Of Envoy's administration, and of Istio's agent: here one place answers them all. */
const AGENT_URL = /^(?:http:\/\/)?(?:localhost|127\.0\.0\.1):(?:15000|15020|15021|15090)(\/\S*)?$/;
const SILENT = /^(?:-[sSf]+|--silent|--show-error|--fail)$/;

function curlQuestion(parameters: readonly string[]): AdminQuestion | undefined {
  let method = "GET";
  let path: string | undefined;
  for (let at = 0; at < parameters.length; at++) {
    const word = parameters[at] ?? "";
    const asked = AGENT_URL.exec(word);
    if (asked !== null) path = asked[1] ?? "/";
    else if (word === "-X" || word === "--request") method = parameters[++at] ?? "";
    else if (/^-X[A-Z]+$/.test(word)) method = word.slice(2);
    else if (!SILENT.test(word)) return undefined;
  }
  return path === undefined ? undefined : toAdministration(method, path);
}

/** Paths of Envoy and of the agent that have other names here. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  "/healthz/ready": "/ready",
  "/stats/prometheus": "/stats",
  "/metrics": "/stats",
};

/** @returns undefined for a method that changes nothing here, and tells nothing */
export function toAdministration(method: string, path: string): AdminQuestion | undefined {
  if (method !== "GET" && method !== "POST") return undefined;
  const [name = "", ...query] = path.split("?");
  return { method, path: [OTHER_NAMES[name] ?? name, ...query].join("?") };
}

export interface KnownServices {
  /** Of the pod that the command is run in. */
  readonly namespace: string;
  readonly resources: readonly Resource[];
  readonly workloads: readonly Workload[];
}

/** A word that says where to connect: `api.shop:8080`, `http://api.shop/x`. */
const ADDRESS =
  /^((?:[a-z]+:\/\/)?)([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)((?::[0-9]{1,5})?)((?:[/?].*)?)$/;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http://": 80, "https://": 443 };

/** @returns the command with the addresses of endpoints for services, and what stands for what, for people */
export function withEndpoints(
  [program, ...parameters]: Command,
  known: KnownServices,
): { readonly command: Command; readonly replaced: readonly string[] } {
  const replaced: string[] = [];
  const words = parameters.map((word) => {
    const [, scheme = "", host = "", port = "", rest = ""] = ADDRESS.exec(word) ?? [];
    const number = port === "" ? DEFAULT_PORTS[scheme] : Number(port.slice(1));
    if (host === "" || number === undefined) return word;
    const endpoint = endpointOf(host, number, known);
    if (endpoint === undefined) return word;
    const place = `${endpoint.address}:${endpoint.port}`;
    replaced.push(`${host}:${number} is ${place}`);
    return `${scheme}${place}${rest}`;
  });
  return { command: [program, ...words], replaced };
}

/** The first one that is ready, where its sidecar takes connections. */
function endpointOf(
  host: string,
  port: number,
  { namespace, resources, workloads }: KnownServices,
): SocketAddress | undefined {
  const service = resources.find(
    (one): one is Service => one.kind === "Service" && isCalled(one, host, namespace),
  );
  const target = service?.ports.find((one) => one.port === port)?.targetPort;
  if (service === undefined || target === undefined) return undefined;
  return workloads
    .filter((workload) => workload.ready && isBehind(service, workload))
    .flatMap(({ ports }) => ports)
    .find(({ name, containerPort }) => target === containerPort || target === name)?.listen;
}

function isCalled({ meta }: Service, host: string, own: string): boolean {
  const full = `${meta.name}.${meta.namespace}`;
  const names = [full, `${full}.svc`, `${full}.svc.cluster.local`];
  return names.includes(host) || (meta.namespace === own && host === meta.name);
}
