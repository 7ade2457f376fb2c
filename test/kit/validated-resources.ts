/** What a real Envoy thinks of resources: whether it would take them, asked without a control plane. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EnvoyResources } from "../../src/envoy/envoy-json.ts";
import { findOrFetchEnvoy } from "./envoy-program.ts";

/** @returns Envoy's own words of refusal; undefined where it takes all of them */
export function envoyRefusal(resources: EnvoyResources): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "hauberk-validated-"));
  try {
    mkdirSync(join(folder, "calls"));
    // The password is "a".
    writeFileSync(join(folder, "http-proxy-users"), "a:{SHA}hvfkN/qlp/zhXR3cuerq6jd2Z7g=\n");
    writeFileSync(join(folder, "envoy.json"), JSON.stringify(staticBootstrap(resources)));
    const { status, stderr } = spawnSync(
      findOrFetchEnvoy().path,
      ["--mode", "validate", "-c", "envoy.json", "--log-level", "warning"],
      { cwd: folder, encoding: "utf8" },
    );
    return status === 0 ? undefined : stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** All that an Envoy can be told without an agent and a control plane: it has no secrets then, so nobody speaks TLS. */
export function staticBootstrap(resources: EnvoyResources): object {
  const { clusters, listeners } = inPlace(resources, resources) as EnvoyResources;
  const agent = { name: "sds-grpc", type: "STATIC", typedExtensionProtocolOptions: HTTP_2 };
  return {
    node: { id: "sidecar~127.0.0.1~test", cluster: "test" },
    staticResources: { listeners, clusters: [...clusters, agent] },
  };
}

const OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const HTTP_2 = {
  [OPTIONS]: {
    "@type": `type.googleapis.com/${OPTIONS}`,
    explicitHttpConfig: { http2ProtocolOptions: {} },
  },
};

/** What would be asked for by ADS stands where it is asked for. */
function inPlace(value: unknown, resources: EnvoyResources): unknown {
  if (Array.isArray(value)) return value.map((item) => inPlace(item, resources));
  if (typeof value !== "object" || value === null) return value;
  const { configDiscovery, rds, edsClusterConfig, ...rest } = value as Readonly<
    Record<string, { readonly [field: string]: unknown } | undefined>
  >;
  const told = resources.extensionConfigs.find(({ name }) => name === String(rest["name"]));
  const routes = resources.routes.find(({ name }) => name === rds?.["routeConfigName"]);
  const endpoints = resources.endpoints.find(
    ({ clusterName }) => clusterName === edsClusterConfig?.["serviceName"],
  );
  if (rds !== undefined && routes === undefined)
    throw new Error(`nobody tells the routes "${String(rds["routeConfigName"])}"`);
  const fields = {
    ...rest,
    ...(configDiscovery && { typedConfig: told?.typedConfig ?? configDiscovery["defaultConfig"] }),
    ...(rds && { routeConfig: routes }),
    ...(edsClusterConfig && { type: "STATIC", loadAssignment: endpoints }),
  };
  return Object.fromEntries(
    Object.entries(fields).map(([name, inner]) => [name, inPlace(inner, resources)]),
  );
}
