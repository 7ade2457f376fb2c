/** A view that people may look at: what lets its holder in somewhere is left out. */
import type { GatewayServer, GatewayView } from "./gateway-view.ts";
import type { Destination, SideTracing, WorkloadView } from "./workload-view.ts";

const CONCEALED = "(not shown)";

/** Without keys of a gateway or of a client, and without the values of the headers by which a collector of spans, or an authorizer, knows who sends. */
export function concealedView(view: WorkloadView): WorkloadView {
  const shown = view.gateway === undefined ? view : withoutKeys(view, view.gateway);
  return withoutHeaders(withoutClientKeys(withoutAuthorizerHeaders(shown)));
}

/** By what the sidecar adds to its questions, an authorizer may know who asks. */
function withoutAuthorizerHeaders(view: WorkloadView): WorkloadView {
  const { authorizers } = view.inbound;
  if (authorizers?.some(({ kind }) => kind === "http") !== true) return view;
  const shown = authorizers.map((one) =>
    one.kind === "http" ? { ...one, additionalHeaders: unseen(one.additionalHeaders) } : one,
  );
  return { ...view, inbound: { ...view.inbound, authorizers: shown } };
}

/** What holds none stays the same object. */
function withoutClientKeys(view: WorkloadView): WorkloadView {
  const { outbound } = view;
  const { destinations, subsets } = outbound;
  if (![...destinations, ...(subsets ?? [])].some(holdsKey)) return view;
  return {
    ...view,
    outbound: {
      ...outbound,
      destinations: destinations.map(withoutClientKey),
      ...(subsets && { subsets: subsets.map(withoutClientKey) }),
    },
  };
}

function holdsKey({ tlsOrigination }: Destination): boolean {
  return tlsOrigination?.material.from === "secret";
}

function withoutClientKey<D extends Destination>(destination: D): D {
  const { tlsOrigination } = destination;
  if (tlsOrigination?.material.from !== "secret") return destination;
  const { keyPem, ...material } = tlsOrigination.material;
  const concealed = { ...material, ...(keyPem !== undefined && { keyPem: CONCEALED }) };
  return { ...destination, tlsOrigination: { ...tlsOrigination, material: concealed } };
}

function withoutKeys(view: WorkloadView, { listeners }: GatewayView): WorkloadView {
  const server = ({ tls, ...rest }: GatewayServer): GatewayServer => {
    if (tls === undefined) return rest;
    const certificates = tls.certificates.map((one) => ({ ...one, keyPem: CONCEALED }));
    return { ...rest, tls: { ...tls, certificates } };
  };
  const shown = listeners.map((one) => ({ ...one, servers: one.servers.map(server) }));
  return { ...view, gateway: { listeners: shown } };
}

function withoutHeaders(view: WorkloadView): WorkloadView {
  const { telemetry } = view;
  if (telemetry?.tracing === undefined) return view;
  const { inbound, outbound, operations } = telemetry.tracing;
  const tracing = {
    ...(inbound && { inbound: concealed(inbound) }),
    ...(outbound && { outbound: concealed(outbound) }),
    operations,
  };
  return { ...view, telemetry: { ...telemetry, tracing } };
}

function concealed(side: SideTracing): SideTracing {
  const { collector } = side;
  return { ...side, collector: { ...collector, headers: unseen(collector.headers) } };
}

function unseen(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(headers).map((name) => [name, CONCEALED]));
}
