/** A view with its policies compiled: done once for each view, never for a request. */
import { DEFAULT_PROXY_HEADERS } from "../api/proxy-headers.ts";
import { type CompiledAuthorization, compileAuthorization } from "../policy/authorize.ts";
import { compileRoutes, type RouteTable } from "../policy/routes/route-table.ts";
import type { Destination, InboundPort, WorkloadView } from "../policy/workload-view.ts";
import { DestinationAddresses } from "./destination-addresses.ts";
import {
  type AuthorizerAccess,
  ExternalAuthorization,
} from "./external-authorization/external-authorization.ts";
import { ClientCertForwarding } from "./forwarded-client-cert.ts";
import { InboundPorts } from "./inbound-ports.ts";
import type { InboundRules } from "./inbound-steps.ts";
import { allDestinations, outboundCluster } from "./outbound-call.ts";
import { compileRateLimits } from "./rate-limits/compile-rate-limits.ts";
import type { ConnectionLimits } from "./rate-limits/connection-limits.ts";
import { KnownLimits } from "./rate-limits/known-limits.ts";
import type { RateLimits } from "./rate-limits/rate-limits.ts";
import type { TransportRules } from "./refusal-today.ts";
import { type KnownTokens, TokenAuthentication } from "./token-authentication.ts";
import { ToldDestinations } from "./told-destinations.ts";
import { TrustedRoots } from "./trusted-roots.ts";

export interface CompiledView {
  readonly view: WorkloadView;
  /** For ports and connections that carry HTTP. */
  readonly http: CompiledAuthorization;
  /** For those that do not (AP-60); made when the first of them asks. */
  readonly tcp: () => CompiledAuthorization;
  readonly roots: TrustedRoots;
  readonly ports: InboundPorts;
  readonly clientCert: ClientCertForwarding;
  /** Absent: no token is demanded, or looked at. */
  readonly authentication: TokenAuthentication | undefined;
  /** Absent: no CUSTOM policy applies, and nobody is asked. */
  readonly external: ExternalAuthorization | undefined;
  /** Absent: none applies. */
  readonly rateLimits: RateLimits | undefined;
  readonly connectionLimits: ConnectionLimits | undefined;
  /** By the addresses that applications call. */
  readonly addresses: DestinationAddresses;
  /** By what is said on a connection to wherever. */
  readonly told: ToldDestinations;
  /** By cluster, see `outboundCluster`. */
  readonly destinations: ReadonlyMap<string, Destination>;
  /** Of users, for what the application calls; absent: there are none. */
  readonly routes: RouteTable | undefined;
  /** Of requests to ports; see `inboundRules`. */
  readonly rules: WeakMap<InboundPort, InboundRules>;
}

/**
 * @param known what earlier views of the same sidecar knew
 * @param access absent: no authorizer can be asked
 */
export function compileView(
  view: WorkloadView,
  known: KnownTokens,
  limits: KnownLimits = new KnownLimits(),
  access?: AuthorizerAccess,
): CompiledView {
  const { authorization, tokenRules } = view.inbound;
  const { trust } = view;
  return {
    view,
    http: compileAuthorization(authorization, { protocol: "http", trust }),
    tcp: madeOnce(() => compileAuthorization(authorization, { protocol: "tcp", trust })),
    roots: new TrustedRoots(trust.rootsPem, trust.crlsPem),
    ports: new InboundPorts(view),
    clientCert: new ClientCertForwarding(
      view.workload.identity,
      view.proxyHeaders ?? DEFAULT_PROXY_HEADERS,
    ),
    authentication: TokenAuthentication.of(tokenRules, known),
    external: ExternalAuthorization.of(view.inbound, access),
    ...compileRateLimits(view, limits),
    ...knownDestinations(view),
    rules: new WeakMap(),
  };
}

function madeOnce<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The same policies, and other destinations. */
export function withDestinations(compiled: CompiledView, view: WorkloadView): CompiledView {
  return { ...compiled, view, ...knownDestinations(view) };
}

function knownDestinations({
  outbound,
}: WorkloadView): Pick<CompiledView, "addresses" | "told" | "destinations" | "routes"> {
  const { virtualHosts } = outbound;
  return {
    routes: virtualHosts && compileRoutes(virtualHosts),
    addresses: new DestinationAddresses(outbound.destinations),
    told: new ToldDestinations(outbound.destinations),
    destinations: new Map(allDestinations(outbound).map((one) => [outboundCluster(one), one])),
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
      external: compiled.external,
      rateLimits: compiled.rateLimits,
      requestId: (view.proxyHeaders ?? DEFAULT_PROXY_HEADERS).requestId,
    };
    rules.set(port, known);
  }
  return known;
}
