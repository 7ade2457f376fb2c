import assert from "node:assert/strict";
import { test } from "node:test";
import { destination, inboundPort, policy, workloadView } from "../../test/kit/sidecar-fixture.ts";
import { readConfigDump } from "../envoy/config-dump.ts";
import { envoyResources } from "../envoy/envoy-resources.ts";
import type { AskAdministration } from "../local/pod-streams/answer-as-envoy.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { describeSidecar } from "../proxy/admin-dump.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { answerAsEnvoy } from "./answer-as-envoy.ts";
import { authorizationSummary } from "./istioctl/authorization-summary.ts";

const view: WorkloadView = workloadView({
  rootsPem: [],
  ports: [inboundPort({ listen: 7080, application: 7081 })],
  destinations: [destination({ name: "billing", port: 7001, listen: 7002 })],
  policies: [policy("ALLOW", "readers", {})],
});

const ownDump = JSON.stringify(
  describeSidecar({
    namespace: "production",
    name: "api-0",
    state: () => "ready",
    svid: new WatchedValue(undefined),
    view: () => view,
  }),
);

/** As an Envoy tells it that has policies by discovery. */
const envoysDump = JSON.stringify({
  configs: [
    {
      "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
      version_info: "7",
      dynamic_listeners: [
        ...envoyResources(view, { version: "1.40.0" }).listeners.map((listener) => ({
          name: listener.name,
          active_state: { version_info: "7", listener },
        })),
        { name: "another", active_state: { version_info: "7", listener: { name: "another" } } },
        { name: "warming", warming_state: { version_info: "8" } },
      ],
    },
    { "@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", ecds_filters: [] },
  ],
  view,
});

const told =
  (dump: string): AskAdministration =>
  async ({ path }) =>
    path === "/config_dump" ? dump : `told ${path}`;

async function answered(path: string, dump: string): Promise<unknown> {
  const answer = await answerAsEnvoy({ method: "GET", path }, told(dump));
  assert.ok(answer !== undefined, `${path} is answered`);
  assert.equal(answer.contentType, "application/json");
  return answer.body.startsWith("{") ? JSON.parse(answer.body) : answer.body;
}

for (const query of ["", "?include_eds=true", "?mask=dynamic_listeners,static_listeners"])
  test(`CTL-29: /config_dump${query} of our own sidecar is a dump in Envoy's shape, with policies`, async () => {
    const dump = await answered(`/config_dump${query}`, ownDump);
    const { configs } = dump as { readonly configs: readonly { readonly "@type": string }[] };
    assert.deepEqual(
      configs.map((one) => one["@type"].replace(/^.*\./, "")),
      [
        "BootstrapConfigDump",
        "ClustersConfigDump",
        "ListenersConfigDump",
        "RoutesConfigDump",
        "SecretsConfigDump",
        "EndpointsConfigDump",
      ],
    );
    const rows = authorizationSummary(readConfigDump(dump).listeners).join("\n");
    assert.match(rows, /ALLOW +readers\.production +1/);
  });

test("CTL-29: the dump of an Envoy has policies where istioctl looks, and all else as Envoy has it", async () => {
  const asEnvoyHas = readConfigDump(JSON.parse(envoysDump));
  assert.doesNotMatch(authorizationSummary(asEnvoyHas.listeners).join("\n"), /readers/);
  const dump = (await answered("/config_dump", envoysDump)) as {
    readonly configs: readonly { readonly dynamicListeners?: readonly object[] }[];
  };
  const { listeners } = readConfigDump(dump);
  assert.match(authorizationSummary(listeners).join("\n"), /ALLOW +readers\.production +1/);
  assert.deepEqual(
    listeners.map(({ name }) => name),
    asEnvoyHas.listeners.map(({ name }) => name),
  );
  const [part, ecds] = dump.configs;
  assert.deepEqual(part?.dynamicListeners?.at(-1), {
    name: "warming",
    warmingState: { versionInfo: "8" },
  });
  assert.deepEqual(ecds, JSON.parse(envoysDump).configs[1]);
  assert.equal("view" in dump, false);
});

test("/clusters as JSON has the endpoints of our own sidecar, as istioctl reads them", async () => {
  const { clusterStatuses } = (await answered("/clusters?format=json", ownDump)) as {
    readonly clusterStatuses: readonly {
      readonly name: string;
      readonly hostStatuses: readonly { readonly address: object; readonly healthStatus: object }[];
    }[];
  };
  const billing = clusterStatuses.find(({ name }) => name.startsWith("outbound|8080||billing."));
  assert.deepEqual(
    billing?.hostStatuses.map(({ address, healthStatus }) => ({ address, healthStatus })),
    [
      {
        address: { socketAddress: { address: "127.0.0.1", portValue: 7001 } },
        healthStatus: { edsHealthStatus: "HEALTHY" },
      },
    ],
  );
});

test("/clusters as JSON of an Envoy is Envoy's own", async () => {
  assert.equal(await answered("/clusters?format=json", envoysDump), "told /clusters");
});

for (const [query, asked, level, said] of [
  ["", "GET /logging", "info", "info"],
  ["?level=debug", "POST /logging?level=debug", "debug", "debug"],
  ["?level=warning", "POST /logging?level=warn", "warn", "warning"],
  ["?level=trace", "POST /logging?level=debug", "debug", "debug"],
] as const)
  test(`POST /logging${query} asks ${asked}, and tells the level as Envoy does`, async () => {
    const questions: string[] = [];
    const answer = await answerAsEnvoy({ method: "POST", path: `/logging${query}` }, (question) => {
      questions.push(`${question.method} ${question.path}`);
      return Promise.resolve(JSON.stringify({ level }));
    });
    assert.deepEqual(questions, [asked]);
    assert.deepEqual(answer, {
      contentType: "text/plain",
      body: `active loggers:\n  all: ${said}\n`,
    });
  });

for (const [method, path] of [
  ["POST", "/config_dump"],
  ["GET", "/clusters"],
  ["GET", "/certs"],
  ["GET", "/logging"],
  ["POST", "/logging?paths=a:debug"],
  ["POST", "/drain"],
] as const)
  test(`${method} ${path} is for the sidecar's own administration`, () => {
    assert.equal(answerAsEnvoy({ method, path }, told(ownDump)), undefined);
  });
