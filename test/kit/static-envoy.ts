/** A real Envoy of one view's inbound side, all of it written in its bootstrap: no agent, no control plane, no time to warm. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applicationClusters } from "../../src/envoy/application-clusters.ts";
import { discoveredAuthorization } from "../../src/envoy/authorization-filters.ts";
import type { ExtensionConfig } from "../../src/envoy/envoy-json.ts";
import { inboundListeners } from "../../src/envoy/inbound/inbound-listeners.ts";
import type { AuthorizeChain } from "../../src/envoy/inbound/judged-chain.ts";
import { outboundClusterName } from "../../src/envoy/istio-names.ts";
import type { ProxySettings } from "../../src/envoy/proxy-settings.ts";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import type { WorkloadView } from "../../src/policy/workload-view.ts";
import { findOrFetchEnvoy } from "./envoy-program.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";

export interface StaticEnvoy {
  /** Of its access logs, and what it complains of. */
  readonly lines: readonly string[];
  /** A page of its own administration. */
  ask(path: string): Promise<string>;
  stop(): Promise<void>;
}

export interface StaticEnvoyOptions {
  readonly view: WorkloadView;
  readonly svid: X509Svid;
  readonly settings?: Partial<ProxySettings>;
  /** Path of the socket by which it reaches the control plane; absent: there is none. */
  readonly agentSocket?: string;
}

/** @throws Error with Envoy's own words where it refuses what it is given */
export async function startStaticEnvoy(options: StaticEnvoyOptions): Promise<StaticEnvoy> {
  const program = findOrFetchEnvoy();
  const folder = await mkdtemp(join(tmpdir(), "hauberk-static-envoy-"));
  const file = join(folder, "envoy.json");
  const adminPort = await freePort();
  const settings: ProxySettings = { version: program.version, ...options.settings };
  const bootstrap = staticBootstrap(options, settings, adminPort);
  await writeFile(file, JSON.stringify(bootstrap, null, 1), { mode: 0o600 });
  const child = spawn(
    program.path,
    ["-c", file, "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error"],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => lines.push(...bytes.toString("utf8").split("\n")));
  const stop = async (): Promise<void> => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  const ask = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text();
  const isReady = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`Envoy refuses this: ${lines.join("\n")}`);
    return (await ask("/ready").catch(() => "")).startsWith("LIVE");
  };
  await eventually("Envoy to be ready", isReady).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { lines, ask, stop };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** @param authorize in place of how Envoys of the mesh are told to judge */
export function staticBootstrap(
  { view, svid, agentSocket }: StaticEnvoyOptions,
  settings: ProxySettings,
  adminPort: number,
  authorize: AuthorizeChain = discoveredAuthorization(view, settings),
): object {
  const { listeners, extensionConfigs } = inboundListeners(view, settings, authorize);
  return {
    node: { id: "sidecar~127.0.0.1~test", cluster: "test" },
    admin: { address: { socketAddress: { address: "127.0.0.1", portValue: adminPort } } },
    staticResources: {
      listeners: inPlace(listeners, extensionConfigs),
      clusters: inPlace(
        [
          ...applicationClusters(view, settings),
          ...calledClusters(view),
          ...(agentSocket === undefined ? [] : [agentCluster(agentSocket)]),
          BLACK_HOLE,
        ],
        [],
      ),
      secrets: [
        {
          name: "default",
          tlsCertificate: {
            certificateChain: { inlineString: svid.certificateChainPem },
            privateKey: { inlineString: svid.privateKeyPem },
          },
        },
        {
          name: "ROOTCA",
          validationContext: { trustedCa: { inlineString: view.trust.rootsPem.join("") } },
        },
      ],
    },
  };
}

function agentCluster(path: string): object {
  return {
    name: "xds-grpc",
    type: "STATIC",
    http2ProtocolOptions: {},
    loadAssignment: {
      clusterName: "xds-grpc",
      endpoints: [{ lbEndpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
    },
  };
}

const BLACK_HOLE = { name: "BlackHoleCluster", type: "STATIC" };

/** Of authorizers and collectors, in plaintext. */
function calledClusters({ outbound: { destinations } }: WorkloadView): readonly object[] {
  return destinations.map((destination) => {
    const name = outboundClusterName(destination);
    const lbEndpoints = destination.endpoints.map(({ address: { address, port } }) => ({
      endpoint: { address: { socketAddress: { address, portValue: port } } },
    }));
    return {
      name,
      type: "STATIC",
      loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints }] },
      ...(destination.protocol === "http2" && { http2ProtocolOptions: {} }),
    };
  });
}

/** What an agent or a control plane would tell by name is told in place. */
function inPlace(value: unknown, configs: readonly ExtensionConfig[]): unknown {
  if (Array.isArray(value)) return value.map((item) => inPlace(item, configs));
  if (typeof value !== "object" || value === null) return value;
  const { configDiscovery, sdsConfig: _, ...rest } = value as Readonly<Record<string, unknown>>;
  const fields = Object.entries(rest).map(([name, inner]) => [name, inPlace(inner, configs)]);
  const told = configs.find(({ name }) => name === rest["name"])?.typedConfig;
  if (configDiscovery !== undefined) fields.push(["typedConfig", told]);
  return Object.fromEntries(fields);
}
