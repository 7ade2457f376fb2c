/** What a command of istioctl looks at: the dump of an Envoy, or a sidecar's in the same shape. */
import { type DumpPart, dumpPart, readConfigDump } from "../../envoy/config-dump.ts";
import { envoyConfig } from "../../envoy/envoy-config.ts";
import { type EnvoyConfig, type EnvoyListener, typeUrl } from "../../envoy/envoy-json.ts";
import type { CapturePorts } from "../../envoy/proxy-settings.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import type { SidecarDump } from "../../proxy/admin-dump.ts";
import type { ListenerDump } from "../../proxy/admin-listeners.ts";
import { envoySecrets } from "../format-secrets.ts";
import { withListeners } from "./with-listeners.ts";

export interface ProxyDump {
  readonly of: "sidecar" | "envoy";
  readonly config: EnvoyConfig;
  /** The same with policies where istioctl looks for them: of an Envoy of the mesh, which has them by discovery. */
  readonly withPolicies: EnvoyConfig;
  /** SecretsConfigDump. */
  readonly secrets: DumpPart;
  /** BootstrapConfigDump. */
  readonly bootstrap: DumpPart;
  /** All of it, as Envoy's administration tells it. */
  readonly whole: object;
}

const NOTHING: EnvoyConfig = { listeners: [], clusters: [], routes: [], endpoints: [] };

/** What the agent beside an Envoy answers: Envoy's own, and the view of which it is made. */
export type AgentDump = { readonly configs: readonly object[]; readonly view?: WorkloadView };

/** @param dump what Envoy's `/config_dump` answers */
export function dumpOfEnvoy(dump: object, view?: WorkloadView): ProxyDump {
  const config = readConfigDump(dump);
  return {
    of: "envoy",
    config,
    withPolicies: view === undefined ? config : envoyConfig(view, captureOf(config.listeners)),
    secrets: dumpPart(dump, "SecretsConfigDump") ?? {},
    bootstrap: dumpPart(dump, "BootstrapConfigDump") ?? {},
    whole: dump,
  };
}

/** All of it shows policies inside of listeners, for whoever reads it from a file: istioctl looks nowhere else. */
export function dumpOfAgent({ view, ...dump }: AgentDump): ProxyDump {
  const made = dumpOfEnvoy(dump, view);
  return { ...made, whole: withListeners(dump, made.withPolicies.listeners) };
}

/** What this sidecar would have of another view; undefined of an Envoy, which completes what it is told. */
export function configOfView(
  view: WorkloadView,
  dump: SidecarDump | AgentDump,
): EnvoyConfig | undefined {
  return "configs" in dump ? undefined : envoyConfig(view, portsOf(dump.listeners));
}

/** Before the first view nothing is configured. */
export function dumpOfSidecar({ view, listeners, certificates }: SidecarDump): ProxyDump {
  const config = view === null ? NOTHING : envoyConfig(view, portsOf(listeners));
  const secrets = { "@type": adminType("SecretsConfigDump"), ...envoySecrets(certificates) };
  const bootstrap = { "@type": adminType("BootstrapConfigDump"), ...(view && nodeOf(view)) };
  const whole = {
    configs: [
      bootstrap,
      {
        "@type": adminType("ClustersConfigDump"),
        dynamicActiveClusters: config.clusters.map((cluster) => ({
          cluster: { "@type": typeUrl("envoy.config.cluster.v3.Cluster"), ...cluster },
        })),
      },
      {
        "@type": adminType("ListenersConfigDump"),
        dynamicListeners: config.listeners.map((listener) => ({
          name: listener.name,
          activeState: {
            listener: { "@type": typeUrl("envoy.config.listener.v3.Listener"), ...listener },
          },
        })),
      },
      {
        "@type": adminType("RoutesConfigDump"),
        dynamicRouteConfigs: config.routes.map((routeConfig) => ({
          routeConfig: {
            "@type": typeUrl("envoy.config.route.v3.RouteConfiguration"),
            ...routeConfig,
          },
        })),
      },
      secrets,
      {
        "@type": adminType("EndpointsConfigDump"),
        dynamicEndpointConfigs: config.endpoints.map((endpointConfig) => ({
          endpointConfig: {
            "@type": typeUrl("envoy.config.endpoint.v3.ClusterLoadAssignment"),
            ...endpointConfig,
          },
        })),
      },
    ],
  };
  return { of: "sidecar", config, withPolicies: config, secrets, bootstrap, whole };
}

function adminType(name: string): string {
  return typeUrl(`envoy.admin.v3.${name}`);
}

/** Of what Envoy calls its node: who it is, and no versions, as it is no Envoy. */
function nodeOf({ workload }: WorkloadView): object {
  const { name, namespace, serviceAccount, labels } = workload;
  const metadata = {
    NAME: name,
    NAMESPACE: namespace,
    SERVICE_ACCOUNT: serviceAccount,
    LABELS: labels,
  };
  return { bootstrap: { node: { id: `sidecar~${name}.${namespace}`, metadata } } };
}

/** Of an Envoy that takes what the kernel leads to it. */
function captureOf(listeners: readonly EnvoyListener[]): CapturePorts | undefined {
  const portOf = (name: string): number | undefined =>
    listeners.find((one) => one.name === name)?.address?.socketAddress?.portValue;
  const [inboundPort, outboundPort] = [portOf("virtualInbound"), portOf("virtualOutbound")];
  return inboundPort === undefined || outboundPort === undefined
    ? undefined
    : { inboundPort, outboundPort };
}

function portsOf(listeners: readonly ListenerDump[]): CapturePorts | undefined {
  const portOf = (name: string): number | undefined =>
    listeners.find((one) => one.name === name)?.addresses[0]?.port;
  const [inboundPort, outboundPort] = [portOf("inbound capture"), portOf("outbound capture")];
  return inboundPort === undefined || outboundPort === undefined
    ? undefined
    : { inboundPort, outboundPort };
}
