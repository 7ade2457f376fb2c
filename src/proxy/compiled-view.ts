/** A view with its policies compiled: done once for each view, never for a request. */
import { DEFAULT_PROXY_HEADERS } from "../api/proxy-headers.ts";
import { type CompiledAuthorization, compileAuthorization } from "../policy/authorize.ts";
import type { Destination, InboundPort, WorkloadView } from "../policy/workload-view.ts";
import { DestinationAddresses } from "./destination-addresses.ts";
import { ClientCertForwarding } from "./forwarded-client-cert.ts";
import { InboundPorts } from "./inbound-ports.ts";
import type { InboundRules } from "./inbound-steps.ts";
import { outboundCluster } from "./outbound-call.ts";
import type { TransportRules } from "./refusal-today.ts";
import { type KnownTokens, TokenAuthentication } from "./token-authentication.ts";
import { TrustedRoots } from "./trusted-roots.ts";

export interface CompiledView {
  readonly view: WorkloadView;
  /** For ports and connections that carry HTTP. */
  readonly http: CompiledAuthorization;
  /** For those that do not (AP-60). */
  readonly tcp: CompiledAuthorization;
  readonly roots: TrustedRoots;
  readonly ports: InboundPorts;
  readonly clientCert: ClientCertForwarding;
  /** Absent: no token is demanded, or looked at. */
  readonly authentication: TokenAuthentication | undefined;
  /** By the addresses that applications call. */
  readonly addresses: DestinationAddresses;
  /** By cluster, see `outboundCluster`. */
  readonly destinations: ReadonlyMap<string, Destination>;
  /** Of requests to ports; see `inboundRules`. */
  readonly rules: WeakMap<InboundPort, InboundRules>;
}

/** @param known what earlier views of the same sidecar knew */
export function compileView(view: WorkloadView, known: KnownTokens): CompiledView {
  const { authorization, tokenRules } = view.inbound;
  const { trust } = view;
  return {
    view,
    http: compileAuthorization(authorization, { protocol: "http", trust }),
    tcp: compileAuthorization(authorization, { protocol: "tcp", trust }),
    roots: new TrustedRoots(trust.rootsPem, trust.crlsPem),
    ports: new InboundPorts(view),
    clientCert: new ClientCertForwarding(
      view.workload.identity,
      view.proxyHeaders ?? DEFAULT_PROXY_HEADERS,
    ),
    authentication: TokenAuthentication.of(tokenRules, known),
    addresses: new DestinationAddresses(view.outbound.destinations),
    destinations: new Map(view.outbound.destinations.map((one) => [outboundCluster(one), one])),
    rules: new WeakMap(),
  };
}

/** What a connection to a port must satisfy, whatever it carries. */
export function transportRules({ view, roots }: CompiledView, port: InboundPort): TransportRules {
  const { mutualTls, admission } = port;
  return { trust: view.trust, roots, mutualTls, admission };
}

/** Worked out once for each port of a view. */
export function inboundRules(compiled: CompiledView, port: InboundPort): InboundRules {
  const { view, http, rules } = compiled;
  let known = rules.get(port);
  if (known === undefined) {
    known = {
      ...transportRules(compiled, port),
      pathNormalization: view.inbound.pathNormalization,
      authorization: http,
      clientCert: compiled.clientCert,
      authentication: compiled.authentication,
      requestId: (view.proxyHeaders ?? DEFAULT_PROXY_HEADERS).requestId,
    };
    rules.set(port, known);
  }
  return known;
}
