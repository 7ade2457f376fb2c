/** What a gateway serves, as people read it. */
import { formatLocation, formatRef } from "../api/resource.ts";
import type {
  DescribedHost,
  DescribedListener,
  DescribedServer,
} from "../policy/described-gateway.ts";

/** @returns none where the workload is no gateway */
export function formatGateway(
  listeners: readonly DescribedListener[] | undefined,
): readonly string[] {
  if (listeners === undefined) return [];
  if (listeners.length === 0)
    return ["", "It is a gateway, and no Gateway selects it: it serves nothing."];
  return ["", "As a gateway it serves:", ...listeners.flatMap(listenerLines)];
}

/** @returns none where nothing leads the workload's calls elsewhere */
export function formatRoutes(routes: readonly DescribedHost[]): readonly string[] {
  return routes.length === 0
    ? []
    : ["", "Its own calls are led by routes:", ...routes.flatMap(hostLines)];
}

function listenerLines({ port, containerPort, servers }: DescribedListener): readonly string[] {
  const inPod = port === containerPort ? "" : ` (${containerPort} of the pod)`;
  return servers.flatMap((server) => [
    `  port ${port}${inPod}: ${server.sentence}, by ${originsInWords(server)}`,
    ...routeLines(server),
  ]);
}

function routeLines({ hosts, unrouted, byServerName }: DescribedServer): readonly string[] {
  if (byServerName) return [];
  if (hosts.every(({ routes, httpsRedirect }) => routes.length === 0 && !httpsRedirect))
    return ["    no route: everything is refused"];
  return [
    ...hosts.flatMap(hostLines),
    ...unrouted.flatMap((name) => [
      `    ${hostInWords(name)}`,
      "      no route: requests are answered 404",
    ]),
  ];
}

function originsInWords({ origins }: DescribedServer): string {
  return origins
    .map(({ ref, source }) => `${formatRef(ref)} (${formatLocation(source)})`)
    .join(", ");
}

function hostLines({ domains, routes, httpsRedirect }: DescribedHost): readonly string[] {
  const host = domains.length === 0 ? [] : [`    ${domains.map(hostInWords).join(", ")}`];
  if (httpsRedirect) return [...host, "      everything is redirected to https"];
  return [
    ...host,
    ...routes.map(
      ({ sentence, origin: { ref, source } }) =>
        `      ${sentence}, by ${formatRef(ref)} (${formatLocation(source)})`,
    ),
  ];
}

function hostInWords(domain: string): string {
  return domain === "*" ? "every other host" : domain;
}
