/**
 * RemoteCluster: another mesh under the same root, and where its control plane is. The counterpart of Istio's remote
 * secret (CA-54), but that there is no secret in it: control planes know each other by certificates.
 */
import { trustDomainProblem } from "./check-mesh-config.ts";
import type { Fields } from "./decoder.ts";
import { plainAddress } from "./plain-address.ts";
import { quoted } from "./quoted.ts";
import type { ResourceMeta } from "./resource.ts";

export interface RemoteCluster {
  readonly kind: "RemoteCluster";
  /** Its name is what the other mesh calls itself. */
  readonly meta: ResourceMeta;
  /** Of its control plane. */
  readonly server: {
    /** IP address, never a name. */
    readonly address: string;
    readonly port: number;
  };
  /** Of the identities there; absent: as here. */
  readonly trustDomain?: string;
}

/** What a mesh calls itself when nobody says: Istio's `CLUSTER_ID`. */
export const DEFAULT_CLUSTER_NAME = "Kubernetes";

const MAX_NAME_CHARACTERS = 63;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
/** `127.0.0.1:20001`, `[::1]:20001` */
const SERVER = /^(?:\[([^\]]+)\]|([^:]+)):([1-9]\d{0,4})$/;
const MAX_PORT = 65_535;

/** Says what is wrong with the name of a cluster. Capital letters are allowed: the default name has one. */
export function clusterNameProblem(text: string): string | undefined {
  if (text.length > MAX_NAME_CHARACTERS)
    return `must be no more than ${MAX_NAME_CHARACTERS} characters`;
  if (NAME.test(text)) return undefined;
  return `${quoted(text)} is not a cluster name; expected letters, digits, ".", "_" and "-", with a letter or digit at both ends`;
}

export function remoteCluster(meta: ResourceMeta, root: Fields): RemoteCluster {
  const spec = root.section("spec");
  const server = parseServer(spec.requiredText("server", serverProblem));
  const trustDomain = spec.text("trustDomain", trustDomainProblem);
  return {
    kind: "RemoteCluster",
    meta,
    server: server ?? { address: "", port: 0 },
    ...(trustDomain === undefined ? {} : { trustDomain }),
  };
}

/** `127.0.0.1:20001`, and an IPv6 address in brackets. */
export function formatServer({ address, port }: RemoteCluster["server"]): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function parseServer(text: string): RemoteCluster["server"] | undefined {
  const [, ipv6, ipv4, digits] = SERVER.exec(text) ?? [];
  const address = plainAddress(ipv6 ?? ipv4 ?? "");
  const port = Number(digits);
  if (address === undefined || port > MAX_PORT) return undefined;
  return { address, port };
}

function serverProblem(text: string): string | undefined {
  if (parseServer(text) !== undefined) return undefined;
  return `${quoted(text)} is not an IP address and a port; expected such as 127.0.0.1:20001`;
}
