/** Real Envoy with the same policy, as Istio's sidecar would have it: RBAC, paths normalised, a pool behind it. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EnvoyProgram } from "../envoy-program.ts";
import { eventually } from "../eventually.ts";
import { freePort } from "../free-port.ts";
import type { Lane } from "./attack-exchange.ts";
import { laneBefore } from "./other-lanes.ts";
import { RecordingUpstream } from "./recording-upstream.ts";
import { dial } from "./sidecar-lanes.ts";
import { FORBIDDEN_HEADER, FORBIDDEN_PATH } from "./smuggling-case.ts";

const LOOPBACK = "127.0.0.1";

export async function openEnvoyLane({ path, version }: EnvoyProgram): Promise<Lane> {
  const upstream = new RecordingUpstream();
  const [application, port] = [await upstream.listen(), await freePort()];
  const folder = await mkdtemp(join(tmpdir(), "hauberk-envoy-"));
  const file = join(folder, "envoy.json");
  await writeFile(file, JSON.stringify(bootstrap({ port, application })));
  const id = String(port);
  const child = spawn(
    path,
    ["-c", file, "--concurrency", "1", "--base-id", id, "--log-level", "error"],
    { stdio: "ignore" },
  );
  const server = {
    close: (): void => {
      child.kill("SIGKILL");
      void rm(folder, { recursive: true, force: true });
    },
  };
  await eventually("Envoy to listen", async () => {
    if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode}`);
    return dial(port).then(
      (socket) => {
        socket.destroy();
        return true;
      },
      () => false,
    );
  });
  return laneBefore(upstream, { name: `Envoy ${version}`, server, port });
}

const EXTENSION = "type.googleapis.com/envoy.extensions.filters";

function bootstrap({
  port,
  application,
}: {
  readonly port: number;
  readonly application: number;
}): unknown {
  return {
    static_resources: {
      listeners: [
        {
          name: "inbound",
          address: at(port),
          filter_chains: [{ filters: [{ name: "http", typed_config: connectionManager() }] }],
        },
      ],
      clusters: [
        {
          name: "application",
          type: "STATIC",
          connect_timeout: "1s",
          load_assignment: {
            cluster_name: "application",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: at(application) } }] }],
          },
        },
      ],
    },
  };
}

function at(port: number): unknown {
  return { socket_address: { address: LOOPBACK, port_value: port } };
}

function connectionManager(): unknown {
  return {
    "@type": `${EXTENSION}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "inbound",
    delayed_close_timeout: "0s",
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: "UNESCAPE_AND_FORWARD",
    upgrade_configs: [{ upgrade_type: "websocket" }],
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, route: { cluster: "application" } }],
        },
      ],
    },
    http_filters: [
      { name: "rbac", typed_config: authorization() },
      { name: "router", typed_config: { "@type": `${EXTENSION}.http.router.v3.Router` } },
    ],
  };
}

function authorization(): unknown {
  const path = (match: object): unknown => ({ url_path: { path: match } });
  const permissions = [
    path({ exact: FORBIDDEN_PATH }),
    path({ prefix: `${FORBIDDEN_PATH}/` }),
    { header: { name: FORBIDDEN_HEADER, present_match: true } },
  ];
  return {
    "@type": `${EXTENSION}.http.rbac.v3.RBAC`,
    rules: {
      action: "DENY",
      policies: {
        forbids: {
          permissions: [{ or_rules: { rules: permissions } }],
          principals: [{ any: true }],
        },
      },
    },
  };
}
