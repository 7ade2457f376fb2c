/** What is wrong with the value of an annotation of a sidecar. Source: `pkg/kube/inject/validate.go` of istio/istio. */
import { parseCidr } from "../api/cidr.ts";

/** @returns undefined where nothing is, or nothing is asked of its values */
export function annotationProblem(name: string, value: string): string | undefined {
  return CHECKS.get(name)?.(value);
}

type Check = (value: string) => string | undefined;

const PREFIX = "traffic.sidecar.istio.io";

const CHECKS: ReadonlyMap<string, Check> = new Map([
  ["sidecar.istio.io/interceptionMode", interceptionMode],
  ["status.sidecar.istio.io/port", port],
  ["readiness.status.sidecar.istio.io/initialDelaySeconds", wholeNumber],
  ["readiness.status.sidecar.istio.io/periodSeconds", wholeNumber],
  ["readiness.status.sidecar.istio.io/failureThreshold", wholeNumber],
  [`${PREFIX}/includeOutboundIPRanges`, orStar(addressRanges)],
  [`${PREFIX}/excludeOutboundIPRanges`, addressRanges],
  [`${PREFIX}/includeInboundPorts`, orStar(ports)],
  [`${PREFIX}/excludeInboundPorts`, ports],
  [`${PREFIX}/excludeOutboundPorts`, ports],
  ["prometheus.istio.io/merge-metrics", boolean],
  ["sidecar.istio.io/proxyCPU", quantity],
  ["sidecar.istio.io/proxyMemory", quantity],
  ["sidecar.istio.io/proxyCPULimit", quantity],
  ["sidecar.istio.io/proxyMemoryLimit", quantity],
]);

function orStar(check: Check): Check {
  return (value) => (value === "*" ? undefined : check(value));
}

function interceptionMode(value: string): string | undefined {
  if (/^(REDIRECT|TPROXY|NONE)$/.test(value)) return undefined;
  return `interceptionMode invalid, use REDIRECT,TPROXY,NONE: ${value}`;
}

function wholeNumber(value: string): string | undefined {
  const isWhole = /^\d+$/.test(value) && Number(value) < 2 ** 32;
  return isWhole ? undefined : `${JSON.stringify(value)} is not a whole number`;
}

function boolean(value: string): string | undefined {
  const isBoolean = /^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value);
  return isBoolean ? undefined : `${JSON.stringify(value)} is not a boolean`;
}

function port(value: string): string | undefined {
  const isPort = /^\d+$/.test(value.trim()) && Number(value) < 65536;
  return isPort ? undefined : `failed parsing port '${value}'`;
}

function ports(value: string): string | undefined {
  if (value.trim() === "") return undefined;
  return value.split(",").map(port).find(Boolean);
}

function addressRanges(value: string): string | undefined {
  if (value === "") return undefined;
  return value.split(",").map(addressRange).find(Boolean);
}

function addressRange(value: string): string | undefined {
  const isRange = value.includes("/") && parseCidr(value) !== undefined;
  return isRange ? undefined : `failed parsing cidr '${value}'`;
}

function quantity(value: string): string | undefined {
  const isQuantity = /^[+-]?(\d+\.?\d*|\.\d+)(([KMGTPE]i)|[numkMGTPE]|[eE][+-]?\d+)?$/.test(value);
  return isQuantity ? undefined : `${JSON.stringify(value)} is not a quantity`;
}
