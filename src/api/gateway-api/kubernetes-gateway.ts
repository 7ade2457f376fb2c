/**
 * Gateway of the Gateway API: on which ports, for which hosts and with which certificates a gateway listens, that is made
 * for it.
 * Source: https://gateway-api.sigs.k8s.io/reference/spec/#gateway
 */
import type { Fields } from "../decoder.ts";
import { requiredPort } from "../port-fields.ts";
import { quoted } from "../quoted.ts";
import type { Labels, ResourceMeta } from "../resource.ts";
import { subdomainProblem } from "../resource-names.ts";
import { type SetSelector, setSelector } from "../set-selector.ts";
import {
  hostnameProblem,
  mostItems,
  type ObjectReference,
  objectReference,
} from "./gateway-api-values.ts";
import { checkTerminateMode } from "./terminate-mode.ts";

/** In files and messages its kind is `Gateway`, as that of Istio's own. */
export interface KubernetesGateway {
  readonly kind: "KubernetesGateway";
  readonly meta: ResourceMeta;
  readonly className: string;
  readonly listeners: readonly GatewayListenerSettings[];
  /** Of Services that lead to a gateway which is there already (`spec.addresses` of type Hostname); none: one is made. */
  readonly serviceHosts: readonly string[];
  /** Of what is made for it. */
  readonly infrastructure: { readonly labels: Labels; readonly annotations: Labels };
}

export interface GatewayListenerSettings {
  readonly line: number;
  readonly name: string;
  readonly port: number;
  readonly protocol: ListenerProtocol;
  /** In lower case; absent: any host. */
  readonly hostname?: string;
  readonly tls?: ListenerTls;
  readonly allowedRoutes: AllowedRoutes;
}

export interface ListenerTls {
  readonly mode: "Terminate" | "Passthrough";
  readonly certificateRefs: readonly ObjectReference[];
  readonly options: Labels;
}

export interface AllowedRoutes {
  readonly from: "Same" | "All" | "Selector" | "None";
  /** Of namespaces, for `Selector`. */
  readonly selector: SetSelector;
  /** Kinds of routes; empty: those that the protocol has. */
  readonly kinds: readonly string[];
}

export const LISTENER_PROTOCOLS = ["HTTP", "HTTPS", "TLS", "TCP"] as const;
export type ListenerProtocol = (typeof LISTENER_PROTOCOLS)[number];

export function kubernetesGateway(meta: ResourceMeta, root: Fields): KubernetesGateway {
  const spec = root.section("spec");
  const className = spec.requiredText("gatewayClassName", subdomainProblem);
  if (spec.itemCount("listeners") === 0) spec.report("listeners", "must have at least one item");
  mostItems(spec, "listeners", 64);
  const listeners = spec.list("listeners");
  const read = listeners.map(listenerSettings);
  refuseTwice(listeners, read);
  const infrastructure = spec.section("infrastructure");
  infrastructure.unused(["parametersRef"]);
  spec.unsupported(["allowedListeners", "backendTLS", "defaultScope", "tls"]);
  return {
    kind: "KubernetesGateway",
    meta,
    className,
    listeners: read,
    serviceHosts: serviceHosts(spec),
    infrastructure: {
      labels: infrastructure.stringMap("labels"),
      annotations: infrastructure.stringMap("annotations"),
    },
  };
}

function serviceHosts(spec: Fields): readonly string[] {
  mostItems(spec, "addresses", 16);
  return spec.list("addresses").flatMap((address) => {
    const type = address.text("type") ?? "IPAddress";
    const value = address.text("value") ?? "";
    if (type === "Hostname" && value !== "") return [value.toLowerCase()];
    address.noticeHere("has no effect here: only a Hostname, of a Service, is understood");
    return [];
  });
}

function listenerSettings(listener: Fields): GatewayListenerSettings {
  const protocol = protocolOf(listener);
  const hostname = listener.text("hostname", (text) =>
    text === "" ? undefined : hostnameProblem(text),
  );
  if (hostname && protocol === "TCP") {
    listener.report("hostname", "must not be given for protocol TCP");
  }
  const tls = listener.has("tls") ? listenerTls(listener.section("tls"), protocol) : undefined;
  checkTls(listener, protocol);
  return {
    line: listener.line,
    name: listener.requiredText("name", subdomainProblem),
    port: requiredPort(listener, "port"),
    protocol,
    ...(hostname && { hostname }),
    ...(tls && { tls }),
    allowedRoutes: allowedRoutes(listener.section("allowedRoutes")),
  };
}

function protocolOf(listener: Fields): ListenerProtocol {
  const written = listener.requiredText("protocol");
  const known = LISTENER_PROTOCOLS.find((one) => one === written);
  if (known === undefined && written !== "") {
    const expected = LISTENER_PROTOCOLS.join(", ");
    listener.report("protocol", `not supported yet: ${quoted(written)}; expected ${expected}`);
  }
  return known ?? "HTTP";
}

function checkTls(listener: Fields, protocol: ListenerProtocol): void {
  const wantsTls = protocol === "HTTPS" || protocol === "TLS";
  if (!wantsTls && listener.has("tls")) {
    listener.report("tls", `must not be given for protocol ${protocol}`);
  }
  if (wantsTls && !listener.has("tls")) {
    listener.report("tls", `is missing; protocol ${protocol} needs it`);
  }
}

function listenerTls(tls: Fields, protocol: ListenerProtocol): ListenerTls {
  const mode = tls.choice("mode", ["Terminate", "Passthrough"], "Terminate");
  if (mode === "Passthrough" && protocol === "HTTPS") {
    tls.report("mode", "must be Terminate for protocol HTTPS");
  }
  mostItems(tls, "certificateRefs", 64);
  const certificateRefs = tls
    .list("certificateRefs")
    .map((reference) => objectReference(reference, { group: "", kind: "Secret" }));
  const options = tls.stringMap("options");
  checkTerminateMode(tls.section("options"), options);
  if (mode === "Terminate" && certificateRefs.length === 0 && Object.keys(options).length === 0) {
    tls.report("certificateRefs", "must have at least one item in mode Terminate");
  }
  tls.unsupported(["frontendValidation"]);
  return { mode, certificateRefs, options };
}

function allowedRoutes(fields: Fields): AllowedRoutes {
  const namespaces = fields.section("namespaces");
  mostItems(fields, "kinds", 8);
  return {
    from: namespaces.choice("from", ["Same", "All", "Selector", "None"], "Same"),
    selector: setSelector(namespaces, "selector"),
    kinds: fields.list("kinds").map((kind) => {
      kind.accept(["group"]);
      return kind.requiredText("kind");
    }),
  };
}

function refuseTwice(listeners: readonly Fields[], read: readonly GatewayListenerSettings[]): void {
  const names = new Set<string>();
  const places = new Set<string>();
  for (const [index, { name, port, protocol, hostname = "" }] of read.entries()) {
    const place = `${port} ${protocol} ${hostname}`;
    if (name !== "" && names.has(name)) {
      listeners[index]?.report("name", `${quoted(name)} is given twice`);
    }
    if (port !== 0 && places.has(place)) {
      listeners[index]?.reportHere("has the port, protocol and hostname of another listener");
    }
    names.add(name);
    places.add(place);
  }
}
