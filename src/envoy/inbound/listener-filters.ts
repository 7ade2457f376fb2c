/** What looks at a connection before its chain is chosen, on the ports where something must be known of it (PA-41). */
import { type NetworkFilter, typeUrl } from "../envoy-json.ts";
import type { Inspection } from "./chain-kinds.ts";

/** A filter of listeners, off where its predicate holds. */
export type ListenerFilter = NetworkFilter & { readonly filterDisabled?: object };

/** Where connections were meant to go before the kernel led them here. */
export const ORIGINAL_DESTINATION: ListenerFilter = {
  name: "envoy.filters.listener.original_dst",
  typedConfig: {
    "@type": typeUrl("envoy.extensions.filters.listener.original_dst.v3.OriginalDst"),
  },
};

const INSPECTORS: Readonly<Record<keyof Inspection, ListenerFilter>> = {
  tls: {
    name: "envoy.filters.listener.tls_inspector",
    typedConfig: {
      "@type": typeUrl("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"),
    },
  },
  http: {
    name: "envoy.filters.listener.http_inspector",
    typedConfig: {
      "@type": typeUrl("envoy.extensions.filters.listener.http_inspector.v3.HttpInspector"),
    },
  },
};

/**
 * @param ports of one listener, by their numbers
 * @param others what is looked at on any other port; absent: there is none
 */
export function inspectors(
  ports: ReadonlyMap<number, Inspection>,
  others?: Inspection,
): readonly ListenerFilter[] {
  return (["tls", "http"] as const).flatMap((kind) => {
    const wanted = [...ports.values(), ...(others ? [others] : [])];
    if (!wanted.some((one) => one[kind])) return [];
    const idle = [...ports].filter(([, one]) => !one[kind]).map(([port]) => port);
    const busy = [...ports].filter(([, one]) => one[kind]).map(([port]) => port);
    const inspector = INSPECTORS[kind];
    if (others !== undefined && !others[kind])
      return [{ ...inspector, filterDisabled: not(on(busy)) }];
    return [idle.length === 0 ? inspector : { ...inspector, filterDisabled: on(idle) }];
  });
}

/** `envoy.config.listener.v3.ListenerFilterChainMatchPredicate` */
function on(ports: readonly number[]): object {
  const rules = ports.map((port) => ({
    destinationPortRange: { start: port, end: port + 1 },
  }));
  const [only] = rules;
  return rules.length === 1 && only ? only : { orMatch: { rules } };
}

function not(predicate: object): object {
  return { notMatch: predicate };
}
