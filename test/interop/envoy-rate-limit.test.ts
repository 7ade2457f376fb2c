/** A real Envoy asks our rate limit service, with a workload's certificate and its own filter, and believes the answers. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CONTROL_PLANE_NAME } from "../../src/identity/certificate-client.ts";
import { spiffeIdOfCertificate } from "../../src/identity/peer-certificate.ts";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import { MemoryCounters } from "../../src/rate-limit-service/memory-counters.ts";
import { rateLimitService } from "../../src/rate-limit-service/rate-limit-service.ts";
import { WatchedValue } from "../../src/runtime/watched.ts";
import { type SecureGrpcServer, startSecureGrpcServer } from "../../src/wire/secure-grpc-server.ts";
import { findOrFetchEnvoy } from "../kit/envoy-program.ts";
import { freePort } from "../kit/free-port.ts";
import { globalRateLimit } from "../kit/global-rate-limit.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { recordedLog } from "../kit/recorded-log.ts";
import { sampleView } from "../kit/sample-view.ts";
import { createThrowawayAuthority } from "../kit/throwaway-authority.ts";
import { until } from "../kit/until.ts";

const API = "spiffe://cluster.local/ns/shop/sa/api";
const EXTENSIONS = "type.googleapis.com/envoy.extensions";

describe("a real Envoy", { skip: missingParts("envoy") }, () => {
  const authority = createThrowawayAuthority();
  let server: SecureGrpcServer;
  let envoy: ChildProcess;
  let folder: string;
  let port: number;

  before(async () => {
    const log = recordedLog();
    const view = sampleView({ name: "shop/api-0", identity: API, rootPem: authority.rootPem });
    const rateLimits = [
      globalRateLimit({ amount: 10, burst: 10, perMs: 60_000 }),
      globalRateLimit({ name: "users", amount: 2, burst: 2, perMs: 60_000 }),
    ];
    server = await startSecureGrpcServer({
      host: "127.0.0.1",
      port: 0,
      identity: new WatchedValue({
        ...authority.serverCertificate(),
        clientRootsPem: [authority.rootPem],
      }),
      services: [
        rateLimitService({
          trustDomain: "cluster.local",
          views: new WatchedValue(
            new Map([["shop/api-0", { ...view, inbound: { ...view.inbound, rateLimits } }]]),
          ),
          identify: async ({ certificate }) =>
            spiffeIdOfCertificate(certificate ?? assert.fail("no certificate")),
          counters: new MemoryCounters(),
          log,
        }),
      ],
      maxReceiveBytes: 65_536,
      log,
    });
    port = await freePort();
    folder = await mkdtemp(join(tmpdir(), "hauberk-envoy-"));
    const file = join(folder, "envoy.json");
    const svid = authority.svid(API);
    await writeFile(file, JSON.stringify(bootstrap({ port, service: server.port, svid })));
    const flags = ["-c", file, "--concurrency", "1", "--base-id", String(port)];
    envoy = spawn(findOrFetchEnvoy().path, [...flags, "--log-level", "error"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    await until("Envoy", () =>
      call("/free").then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
  });
  after(async () => {
    envoy?.kill("SIGKILL");
    await server?.close();
    await rm(folder, { recursive: true });
  });

  async function call(path: string, user = "nobody") {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { "x-user": user } });
    const header = (name: string) => answer.headers.get(name);
    return {
      status: answer.status,
      limit: header("x-ratelimit-limit"),
      remaining: header("x-ratelimit-remaining"),
      reset: header("x-ratelimit-reset"),
    };
  }

  function bootstrap(options: {
    readonly port: number;
    readonly service: number;
    readonly svid: X509Svid;
  }) {
    const { certificateChainPem, privateKeyPem } = options.svid;
    return {
      static_resources: {
        listeners: [
          {
            name: "inbound",
            address: at(options.port),
            filter_chains: [{ filters: [{ name: "http", typed_config: connectionManager() }] }],
          },
        ],
        clusters: [
          {
            name: "limits",
            type: "STATIC",
            connect_timeout: "1s",
            typed_extension_protocol_options: {
              "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": `${EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions`,
                explicit_http_config: { http2_protocol_options: {} },
              },
            },
            transport_socket: {
              name: "tls",
              typed_config: {
                "@type": `${EXTENSIONS}.transport_sockets.tls.v3.UpstreamTlsContext`,
                sni: CONTROL_PLANE_NAME,
                common_tls_context: {
                  alpn_protocols: ["h2"],
                  tls_certificates: [
                    {
                      certificate_chain: { inline_string: certificateChainPem },
                      private_key: { inline_string: privateKeyPem },
                    },
                  ],
                  validation_context: { trusted_ca: { inline_string: authority.rootPem } },
                },
              },
            },
            load_assignment: {
              cluster_name: "limits",
              endpoints: [{ lb_endpoints: [{ endpoint: { address: at(options.service) } }] }],
            },
          },
        ],
      },
    };
  }

  test("lets through as many as there are, and tells of the limit in its own fields", async () => {
    const answers = [];
    for (let one = 0; one < 12; one++) answers.push(await call("/all"));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [...Array.from({ length: 10 }, () => 200), 429, 429],
    );
    const [first, second] = answers;
    assert.equal(first?.limit, '10, 10;w=60;name="shop/checkout/all"');
    assert.deepEqual([first?.remaining, second?.remaining], ["9", "8"]);
    const refused = answers[10];
    assert.equal(refused?.remaining, "0");
    assert.ok(Number(refused?.reset) >= 5 && Number(refused?.reset) <= 6, `${refused?.reset}`);
  });

  test("counts each user apart, as its own descriptor says", async () => {
    const statuses = [];
    for (const user of ["ann", "ann", "ann", "bob"]) {
      const { status } = await call("/users", user);
      statuses.push(`${user} ${status}`);
    }
    assert.deepEqual(statuses, ["ann 200", "ann 200", "ann 429", "bob 200"]);
  });

  test("is let through where it asks for what is no limit of its workload", async () => {
    for (let one = 0; one < 20; one++) assert.equal((await call("/other")).status, 200);
  });
});

const at = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });

function connectionManager() {
  const limit = (name: string) => ({
    generic_key: { descriptor_key: "hauberk.limit", descriptor_value: name },
  });
  const user = { request_headers: { header_name: "x-user", descriptor_key: "hauberk.key" } };
  const route = (prefix: string, ...actions: readonly unknown[]) => ({
    match: { prefix },
    route: { cluster: "limits", rate_limits: actions.length > 0 ? [{ actions }] : [] },
  });
  return {
    "@type": `${EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "inbound",
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [
            route("/all", limit("shop/checkout/all")),
            route("/users", limit("shop/checkout/users"), user),
            route("/other", limit("shop/other/all")),
            route("/free"),
          ],
        },
      ],
    },
    http_filters: [
      {
        name: "limits",
        typed_config: {
          "@type": `${EXTENSIONS}.filters.http.ratelimit.v3.RateLimit`,
          domain: "cluster.local",
          failure_mode_deny: true,
          timeout: "1s",
          enable_x_ratelimit_headers: "DRAFT_VERSION_03",
          rate_limit_service: {
            transport_api_version: "V3",
            grpc_service: { envoy_grpc: { cluster_name: "limits" } },
          },
        },
      },
      {
        name: "answer",
        typed_config: {
          "@type": `${EXTENSIONS}.filters.http.lua.v3.Lua`,
          default_source_code: {
            inline_string:
              'function envoy_on_request(handle) handle:respond({[":status"] = "200"}, "well") end',
          },
        },
      },
      {
        name: "router",
        typed_config: { "@type": `${EXTENSIONS}.filters.http.router.v3.Router` },
      },
    ],
  };
}
