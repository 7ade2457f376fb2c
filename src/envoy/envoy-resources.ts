/**
 * A sidecar's view as what an Envoy is served that takes the sidecar's place. Pure: equal views make equal resources, and parts
 * that depend only on what views share are the same objects for all of them.
 */
import type { WorkloadView } from "../policy/workload-view.ts";
import { applicationClusters } from "./application-clusters.ts";
import { discoveredAuthorization, inlinedAuthorization } from "./authorization-filters.ts";
import { withDecisionLog } from "./decision-log.ts";
import type { EnvoyCluster, EnvoyListener, EnvoyResources } from "./envoy-json.ts";
import { gatewayListeners } from "./gateway/gateway-listeners.ts";
import { gatewayRoutes } from "./gateway/gateway-routes.ts";
import { unopenedClusters, unopenedEndpoints } from "./gateway/passed-through.ts";
import { inboundListeners } from "./inbound/inbound-listeners.ts";
import type { AuthorizeChain } from "./inbound/judged-chain.ts";
import {
  outboundClusters,
  outboundEndpoints,
  strangersClusters,
} from "./outbound/outbound-clusters.ts";
import { outboundListeners } from "./outbound/outbound-listeners.ts";
import type { ProxySettings } from "./proxy-settings.ts";
import { remembered } from "./remembered.ts";
import { callersRoutes } from "./routes/callers-routes.ts";
import { withoutIpv6 } from "./without-ipv6.ts";

/** Rules of policies are sent apart from the listeners that obey them, so that what stands obeys them at once. */
export function envoyResources(view: WorkloadView, settings: ProxySettings): EnvoyResources {
  const told = settings.decisionLog === undefined ? view : withDecisionLog(view);
  const resources = translated(told, settings, discoveredAuthorization(view, settings));
  return settings.ipv6 === "absent" ? withoutIpv6(resources) : resources;
}

/** The same in one piece: rules stand where Istio has them, one after the other, for whoever reads them. */
export function inlinedResources(view: WorkloadView, settings: ProxySettings): EnvoyResources {
  return translated(view, settings, inlinedAuthorization(view));
}

function translated(
  view: WorkloadView,
  settings: ProxySettings,
  authorize: AuthorizeChain,
): EnvoyResources {
  const { outbound, trust, interception } = view;
  const inbound = inboundListeners(view, settings, authorize);
  const gateway = gatewayListeners(view, settings, authorize);
  const passesOn = passesUnopened(view);
  const configs = [...inbound.extensionConfigs, ...gateway.extensionConfigs];
  return {
    clusters: together(
      applicationClusters(view, settings),
      outboundClusters(outbound, trust, settings),
      passesOn ? unopenedClusters(outbound) : NO_CLUSTERS,
      strangersClusters(interception),
    ),
    endpoints: passesOn
      ? [...outboundEndpoints(outbound), ...unopenedEndpoints(outbound)]
      : outboundEndpoints(outbound),
    listeners: [
      ...gateway.listeners,
      ...inbound.listeners.map((one) => handingOver(one, view, settings)),
      ...(hasApplication(view, settings) ? outboundListeners(view, settings) : []),
    ],
    routes: [
      ...gatewayRoutes(view),
      ...(hasApplication(view, settings) ? callersRoutes(view, settings) : []),
    ],
    extensionConfigs: [...new Map(configs.map((config) => [config.name, config])).values()],
  };
}

const NO_CLUSTERS: readonly EnvoyCluster[] = [];

/** One list for all that have the same: a thousand lists of a thousand clusters are a lot to look through after each change. */
const together: (...lists: readonly (readonly EnvoyCluster[])[]) => readonly EnvoyCluster[] =
  remembered((...lists) => lists.flat());

/** A gateway's pod holds nobody who calls through it, and its own ports would be taken for calls. */
function hasApplication({ gateway }: WorkloadView, { capture }: ProxySettings): boolean {
  return gateway === undefined || capture === undefined;
}

function passesUnopened({ gateway }: WorkloadView): boolean {
  const servers = (gateway?.listeners ?? []).flatMap((listener) => listener.servers);
  return servers.some(({ traffic }) => traffic.is === "by-server-name");
}

/** What the kernel leads to a gateway's pod goes to the gateway's own listeners. */
function handingOver(
  listener: EnvoyListener,
  { gateway }: WorkloadView,
  { capture }: ProxySettings,
): EnvoyListener {
  if (gateway === undefined || capture === undefined) return listener;
  return { ...listener, useOriginalDst: true };
}
