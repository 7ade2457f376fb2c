/**
 * Which connections of a pod its sidecar takes, as annotations of the pod say (INJ-20..INJ-23).
 * Source: https://istio.io/latest/docs/reference/config/annotations/
 */
import { formatCidr, parseCidr } from "./cidr.ts";
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";

export interface InterceptionSettings {
  /** "NONE": nothing is intercepted (`sidecar.istio.io/interceptionMode`). */
  readonly mode: "REDIRECT" | "NONE";
  /** `includeInboundPorts`; an empty list captures nothing (INJ-21). */
  readonly inboundPorts: "all" | readonly number[];
  readonly excludedInboundPorts: readonly number[];
  /** `includeOutboundPorts`: captured whatever their address. */
  readonly includedOutboundPorts: readonly number[];
  readonly excludedOutboundPorts: readonly number[];
  /** `includeOutboundIPRanges`: CIDRs, IPv4 or IPv6; an empty list captures nothing but `includedOutboundPorts`. */
  readonly outboundRanges: "all" | readonly string[];
  readonly excludedOutboundRanges: readonly string[];
}

export const DEFAULT_INTERCEPTION: InterceptionSettings = {
  mode: "REDIRECT",
  inboundPorts: "all",
  excludedInboundPorts: [],
  includedOutboundPorts: [],
  excludedOutboundPorts: [],
  outboundRanges: "all",
  excludedOutboundRanges: [],
};

const MODE = "sidecar.istio.io/interceptionMode";
const PREFIX = "traffic.sidecar.istio.io/";

/** Of interfaces that no pod has here. */
const UNUSED = [`${PREFIX}excludeInterfaces`, `${PREFIX}kubevirtInterfaces`];

/** Of Istio's agent (INJ-24): nothing listens there in this mesh, and they stay closed whether they are excluded or not. */
export const AGENT_PORTS: readonly number[] = [15020, 15021, 15090];

const UNGUARDED =
  "no mutual TLS, and no policy, not even a DENY (INJ-25); a NetworkPolicy still holds there, and callers with a sidecar need a PeerAuthentication that disables mutual TLS there, since they speak it otherwise";
const INBOUND_HOLE = `where pods have networks of their own, connections to any other port bypass the sidecar: ${UNGUARDED}`;
const EXCLUDED_HOLE = `where pods have networks of their own, connections to these ports bypass the sidecar: ${UNGUARDED}`;
const NO_SIDECAR = `where pods have networks of their own, no connection is led to the sidecar: ${UNGUARDED}`;
const OUTBOUND_HOLE =
  "where pods have networks of their own, the pod's connections there bypass its sidecar: in plaintext, without an identity, whatever outboundTrafficPolicy says (INJ-25)";

/** @param annotations of a pod template */
export function interceptionSettings(annotations: Fields): InterceptionSettings {
  annotations.unused(UNUSED);
  const settings: InterceptionSettings = {
    mode: interceptionMode(annotations),
    inboundPorts: allOr(annotations, { name: "includeInboundPorts", read: portList }),
    excludedInboundPorts: portList(annotations, "excludeInboundPorts"),
    includedOutboundPorts: portList(annotations, "includeOutboundPorts"),
    excludedOutboundPorts: portList(annotations, "excludeOutboundPorts"),
    outboundRanges: allOr(annotations, { name: "includeOutboundIPRanges", read: rangeList }),
    excludedOutboundRanges: rangeList(annotations, "excludeOutboundIPRanges"),
  };
  tellHoles(annotations, settings);
  return settings;
}

/** TPROXY keeps the caller's address for the application, and takes the same connections. */
function interceptionMode(annotations: Fields): InterceptionSettings["mode"] {
  const mode = annotations.choice(MODE, ["REDIRECT", "TPROXY", "NONE"], "REDIRECT");
  if (mode !== "TPROXY") return mode;
  annotations.notice(
    MODE,
    "TPROXY is not supported yet: done as REDIRECT, so that the application does not see its callers' addresses",
  );
  return "REDIRECT";
}

/** `*` is all, and so is a missing annotation; an empty text is nothing at all (INJ-21). */
function allOr<Item>(
  annotations: Fields,
  {
    name,
    read,
  }: { readonly name: string; readonly read: (from: Fields, name: string) => readonly Item[] },
): "all" | readonly Item[] {
  const text = annotations.text(PREFIX + name);
  return text === undefined || text.trim() === "*" ? "all" : read(annotations, name);
}

function portList(annotations: Fields, name: string): readonly number[] {
  return readList(annotations, {
    name,
    parse: (text) => (/^\d{1,5}$/.test(text) ? validPort(Number(text)) : undefined),
    expected: "a port from 1 to 65535",
  });
}

function validPort(port: number): number | undefined {
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function rangeList(annotations: Fields, name: string): readonly string[] {
  return readList(annotations, {
    name,
    parse: (text) => {
      const range = text.includes("/") ? parseCidr(text) : undefined;
      return range && formatCidr(range);
    },
    expected: "a range such as 10.0.0.0/8",
  });
}

/** Items with commas between them, each once; every fault is reported. */
function readList<Item>(
  annotations: Fields,
  {
    name,
    parse,
    expected,
  }: {
    readonly name: string;
    readonly parse: (text: string) => Item | undefined;
    readonly expected: string;
  },
): readonly Item[] {
  const text = annotations.text(PREFIX + name)?.trim() ?? "";
  if (text === "") return [];
  const items = text.split(",").flatMap((part): Item[] => {
    const item = parse(part.trim());
    if (item !== undefined) return [item];
    annotations.report(PREFIX + name, `has ${quoted(part.trim())}; expected ${expected}`);
    return [];
  });
  return [...new Set(items)];
}

/** One notice for each annotation that leads traffic past the sidecar. */
function tellHoles(annotations: Fields, settings: InterceptionSettings): void {
  const { inboundPorts, excludedInboundPorts } = settings;
  const opened = excludedInboundPorts.filter((port) => !AGENT_PORTS.includes(port));
  const holes: readonly [name: string, opens: boolean, hole: string][] = [
    [MODE, settings.mode === "NONE", NO_SIDECAR],
    [`${PREFIX}includeInboundPorts`, inboundPorts !== "all", INBOUND_HOLE],
    [`${PREFIX}excludeInboundPorts`, opened.length > 0, EXCLUDED_HOLE],
    [`${PREFIX}includeOutboundIPRanges`, settings.outboundRanges !== "all", OUTBOUND_HOLE],
    [`${PREFIX}excludeOutboundIPRanges`, settings.excludedOutboundRanges.length > 0, OUTBOUND_HOLE],
    [`${PREFIX}excludeOutboundPorts`, settings.excludedOutboundPorts.length > 0, OUTBOUND_HOLE],
  ];
  for (const [name, opens, hole] of holes) if (opens) annotations.notice(name, hole);
}
