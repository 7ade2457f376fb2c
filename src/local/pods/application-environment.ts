/**
 * The environment an application starts with: little of the user's own shell, and where to listen and
 * to find services. Pure.
 */
import type { Container } from "../../api/container.ts";
import type { Service } from "../../api/service.ts";
import type { IpAddresses, SocketAddress, Workload } from "../../policy/workload.ts";

/** A pod with an address of its own is called by it, and calls itself by its loopback too. */
const ANYWHERE = "0.0.0.0";

/** gRPC compares the end of a host with each entry, and every host ends with the empty one. */
const EVERY_HOST = ",";

/** Everything else of the user's shell, secrets above all, stays out. */
const INHERITED = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TERM"];

export interface EnvironmentInputs {
  readonly workload: Workload;
  readonly container: Container;
  readonly services: readonly Service[];
  readonly workloads: readonly Workload[];
  /** Of services, by `namespace/name`, where pods have addresses of their own. */
  readonly serviceAddresses: Readonly<Record<string, IpAddresses>>;
  /** Password of the pod's HTTP proxy; absent without a sidecar. */
  readonly proxyPassword?: string;
  /** Path of the pod's Workload API; absent without one. */
  readonly workloadApi?: string;
  /** Path of the bootstrap of gRPC programs that speak xDS themselves; absent where the pod does not ask for it. */
  readonly grpcBootstrap?: string;
  readonly temporaryDirectory: string;
  readonly inherited: Readonly<Record<string, string | undefined>>;
}

/**
 * `HOST` and `PORT` say where to listen (`PORT_8080` for each declared port); `API_SERVICE_HOST` and
 * `API_SERVICE_PORT` where a service of the own namespace is, as in Kubernetes; the proxy variables lead through the
 * sidecar; `SPIFFE_ENDPOINT_SOCKET` is the Workload API, where the pod asks for it, and
 * `GRPC_XDS_BOOTSTRAP` says to gRPC programs how to be their own proxies.
 */
export function applicationEnvironment(inputs: EnvironmentInputs): Record<string, string> {
  const { workload, container, temporaryDirectory, inherited } = inputs;
  const environment: Record<string, string> = { TMPDIR: temporaryDirectory };
  for (const name of INHERITED) {
    const value = inherited[name];
    if (value !== undefined) environment[name] = value;
  }
  Object.assign(environment, listenVariables(workload, container));
  for (const service of inputs.services) {
    if (service.meta.namespace === workload.namespace) {
      Object.assign(environment, serviceVariables(service, inputs));
    }
  }
  Object.assign(environment, proxyVariables(inputs));
  const { workloadApi } = inputs;
  if (workloadApi !== undefined) environment["SPIFFE_ENDPOINT_SOCKET"] = `unix://${workloadApi}`;
  Object.assign(environment, proxylessVariables(inputs));
  return environment;
}

/** As Istio's injector sets them; and calls by `xds:` must not be led to the pod's HTTP proxy, as gRPC would. */
function proxylessVariables({
  workload,
  grpcBootstrap,
}: EnvironmentInputs): Record<string, string> {
  if (grpcBootstrap === undefined) return {};
  return {
    GRPC_XDS_BOOTSTRAP: grpcBootstrap,
    GRPC_XDS_EXPERIMENTAL_SECURITY_SUPPORT: "true",
    ...(workload.httpProxy && { no_grpc_proxy: EVERY_HOST }),
  };
}

function listenVariables(workload: Workload, container: Container): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { containerPort } of container.ports) {
    const port = workload.ports.find((candidate) => candidate.containerPort === containerPort);
    if (port === undefined) continue;
    variables["HOST"] ??= workload.addresses === undefined ? port.application.address : ANYWHERE;
    variables["PORT"] ??= String(port.application.port);
    variables[`PORT_${containerPort}`] = String(port.application.port);
  }
  return variables;
}

function serviceVariables(service: Service, inputs: EnvironmentInputs): Record<string, string> {
  const prefix = service.meta.name.toUpperCase().replaceAll("-", "_");
  const variables: Record<string, string> = {};
  for (const { name, port, targetPort } of service.ports) {
    const address = addressOf(service, { port, targetPort, ...inputs });
    if (address === undefined) continue;
    variables[`${prefix}_SERVICE_HOST`] ??= address.address;
    variables[`${prefix}_SERVICE_PORT`] ??= String(address.port);
    if (name !== "") {
      variables[`${prefix}_SERVICE_PORT_${name.toUpperCase().replaceAll("-", "_")}`] = String(
        address.port,
      );
    }
  }
  return variables;
}

/** The service's own address; else the own sidecar's listener for the service; for a pod without one, the first workload behind the service. */
function addressOf(
  service: Service,
  target: EnvironmentInputs & { port: number; targetPort: number | string },
): SocketAddress | undefined {
  const { workload, workloads, serviceAddresses } = target;
  if (workload.addresses !== undefined) {
    const own = serviceAddresses[`${service.meta.namespace}/${service.meta.name}`];
    return own === undefined ? undefined : { address: own.ipv4, port: target.port };
  }
  if (workload.injected) {
    return workload.outboundListeners.find(
      ({ serviceNamespace, serviceName, servicePort }) =>
        serviceNamespace === service.meta.namespace &&
        serviceName === service.meta.name &&
        servicePort === target.port,
    )?.listen;
  }
  const selector = Object.entries(service.selector);
  return workloads
    .filter(
      ({ namespace, labels }) =>
        selector.length > 0 &&
        namespace === service.meta.namespace &&
        selector.every(([key, value]) => labels[key] === value),
    )
    .flatMap(({ ports }) => ports)
    .find(
      ({ name, containerPort }) =>
        target.targetPort === containerPort || target.targetPort === name,
    )?.listen;
}

function proxyVariables({ workload, proxyPassword }: EnvironmentInputs): Record<string, string> {
  if (workload.httpProxy === undefined || proxyPassword === undefined) return {};
  const { address, port } = workload.httpProxy;
  const proxy = `http://${workload.name}:${proxyPassword}@${address}:${port}`;
  const direct = "127.0.0.1,localhost";
  return {
    HTTP_PROXY: proxy,
    http_proxy: proxy,
    NO_PROXY: direct,
    no_proxy: direct,
    NODE_USE_ENV_PROXY: "1",
  };
}
