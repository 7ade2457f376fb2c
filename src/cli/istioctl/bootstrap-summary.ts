/** Which versions a proxy is of, as the head of `proxy-config all` tells it. */
import type { DumpPart } from "../../envoy/config-dump.ts";
import { tabColumns } from "./tab-columns.ts";

interface Bootstrap {
  readonly node?: {
    readonly id?: string;
    readonly metadata?: Readonly<Record<string, unknown>>;
    readonly userAgentBuildVersion?: {
      readonly version?: {
        readonly majorNumber?: number;
        readonly minorNumber?: number;
        readonly patch?: number;
      };
      readonly metadata?: Readonly<Record<string, unknown>>;
    };
  };
}

/** @param part a BootstrapConfigDump */
export function bootstrapSummary(part: DumpPart): readonly string[] {
  const { node } = (part["bootstrap"] ?? {}) as Bootstrap;
  const { ISTIO_VERSION: istio, ISTIO_PROXY_SHA: sha } = node?.metadata ?? {};
  const rows = [
    ...(istio === undefined ? [] : [["Istio Version:", String(istio)]]),
    ...(sha === undefined ? [] : [["Istio Proxy Version:", lastPart(String(sha))]]),
    ["Envoy Version:", envoyVersion(node)],
  ];
  return tabColumns(rows, 1);
}

/** `istio-proxy:SHA` */
function lastPart(sha: string): string {
  return sha.split(":")[1] ?? sha;
}

function envoyVersion(node: Bootstrap["node"]): string {
  const { version, metadata = {} } = node?.userAgentBuildVersion ?? {};
  const { majorNumber = 0, minorNumber = 0, patch = 0 } = version ?? {};
  const further = [
    ["-", metadata["build.label"]],
    ["/", metadata["revision.status"]],
    ["/", metadata["build.type"]],
    ["/", metadata["ssl.version"]],
  ].flatMap(([mark, text]) => (text === undefined ? [] : [`${mark}${text}`]));
  return `${majorNumber}.${minorNumber}.${patch}${further.join("")}`;
}
