/** All routes that a proxy asks for on behalf of its own application. */
import type { WorkloadView } from "../../policy/workload-view.ts";
import type { RouteConfiguration } from "../envoy-json.ts";
import { allDestinations } from "../outbound/outbound-clusters.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import { httpProxyRoutes } from "./http-proxy-routes.ts";
import { type CallersPlace, destinationRoutes, portRoutes } from "./outbound-routes.ts";

export function callersRoutes(
  { outbound, interception, workload }: WorkloadView,
  { capture }: ProxySettings,
): readonly RouteConfiguration[] {
  const place = callersPlace(workload.namespace);
  if (capture === undefined || interception === undefined) {
    const direct = outbound.destinations.filter(
      ({ listen, protocol }) => listen !== undefined && protocol !== "tcp",
    );
    return [
      ...direct.map((destination) => destinationRoutes(destination, outbound)),
      ...(outbound.httpProxy === undefined ? [] : [httpProxyRoutes(outbound, place)]),
    ];
  }
  const detected = allDestinations(outbound).filter(
    ({ protocol, addresses = [], subset }) =>
      protocol === "auto" && addresses.length > 0 && subset === undefined,
  );
  return [
    ...portRoutes(outbound, place, interception),
    ...detected.map((destination) => destinationRoutes(destination, outbound)),
  ];
}

/** One object for each namespace, so that what is made for it can be shared; as many as a mesh has. */
const places = new Map<string, CallersPlace>();
const MOST_PLACES = 10_000;

export function callersPlace(namespace: string): CallersPlace {
  const known = places.get(namespace);
  if (known !== undefined) return known;
  const place = { namespace };
  if (places.size >= MOST_PLACES) places.clear();
  places.set(namespace, place);
  return place;
}
