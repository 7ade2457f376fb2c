/** Into which chains the connections of a port are divided, by mode and protocol (PA-30..PA-36, TLS-2). */
import type { PortProtocol } from "../../api/service.ts";
import type { MutualTlsMode } from "../../policy/decision.ts";
import type { FilterChainMatch } from "../envoy-json.ts";
import type { JudgedChain } from "./judged-chain.ts";

/** One way in. */
export interface ChainKind {
  /** Tells it from the others of its port. */
  readonly name: string;
  readonly match: Pick<FilterChainMatch, "transportProtocol" | "applicationProtocols">;
  readonly transport: JudgedChain["transport"];
  /** "refused": what nobody would understand ends here. */
  readonly carries: "http" | "tcp" | "refused";
}

const PLAIN_HTTP = ["http/1.0", "http/1.1", "h2c"];
const MESH_HTTP = ["istio-http/1.0", "istio-http/1.1", "istio-h2"];
const MESH_TCP = ["istio-peer-exchange", "istio"];
const OF_THE_MESH = [...MESH_TCP, ...MESH_HTTP];

function meshTls(carries: "http" | "tcp", applicationProtocols?: readonly string[]): ChainKind {
  return {
    name: `mesh-${carries}`,
    match: { transportProtocol: "tls", ...(applicationProtocols && { applicationProtocols }) },
    transport: "mesh-tls",
    carries,
  };
}

function plain(carries: "http" | "tcp", applicationProtocols?: readonly string[]): ChainKind {
  return {
    name: `plain-${carries}`,
    match: {
      transportProtocol: "raw_buffer",
      ...(applicationProtocols && { applicationProtocols }),
    },
    transport: "plaintext",
    carries,
  };
}

/** TLS of the application's own goes to it as it is. */
const PASSED_ON: ChainKind = {
  name: "other-tls",
  match: { transportProtocol: "tls" },
  transport: "other-tls",
  carries: "tcp",
};

/** TLS of the mesh, where the application is spoken to in plaintext (PA-36). */
const NOT_TAKEN_OFF: ChainKind = {
  name: "mesh-refused",
  match: { transportProtocol: "tls", applicationProtocols: OF_THE_MESH },
  transport: "other-tls",
  carries: "refused",
};

type Spoken = "http" | "tcp" | "auto";

const KINDS: Readonly<Record<MutualTlsMode, Readonly<Record<Spoken, readonly ChainKind[]>>>> = {
  STRICT: {
    http: [meshTls("http")],
    tcp: [meshTls("tcp")],
    auto: [meshTls("http", MESH_HTTP), meshTls("tcp")],
  },
  PERMISSIVE: {
    http: [meshTls("http", OF_THE_MESH), plain("http")],
    tcp: [meshTls("tcp", OF_THE_MESH), PASSED_ON, plain("tcp")],
    auto: [
      meshTls("http", MESH_HTTP),
      plain("http", PLAIN_HTTP),
      meshTls("tcp", MESH_TCP),
      plain("tcp"),
      PASSED_ON,
    ],
  },
  DISABLE: {
    http: [plain("http")],
    tcp: [plain("tcp")],
    auto: [plain("http", PLAIN_HTTP), plain("tcp"), NOT_TAKEN_OFF, PASSED_ON],
  },
};

export function chainKinds(mode: MutualTlsMode, protocol: PortProtocol): readonly ChainKind[] {
  return KINDS[mode][protocol === "http2" ? "http" : protocol];
}

/** What must be known of a connection's first bytes before its chain can be chosen (PA-41). */
export interface Inspection {
  readonly tls: boolean;
  readonly http: boolean;
}

/** Of a port that carries bytes in plaintext nothing is looked at, so that an application that speaks first is not waited for. */
export function inspectionOf(mode: MutualTlsMode, protocol: PortProtocol): Inspection {
  return {
    tls: mode !== "DISABLE" || protocol !== "tcp",
    http: mode !== "STRICT" && protocol === "auto",
  };
}
