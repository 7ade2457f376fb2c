/** From what users write to what a collector hears. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { loggedCall } from "../../../test/kit/logged-call.ts";
import { resourcesOf } from "../../../test/kit/mesh-parts.ts";
import { grpcCollector, httpCollector } from "../../../test/kit/otlp-collector.ts";
import { recordedLog } from "../../../test/kit/recorded-log.ts";
import { headersOf } from "../../../test/kit/span-side.ts";
import { effectiveTelemetry } from "../../policy/effective-telemetry.ts";
import { buildSnapshot } from "../../policy/mesh-snapshot.ts";
import type { EffectiveTelemetry } from "../../policy/workload-view.ts";
import { endSpan, startSpan } from "./span.ts";
import { Tracing } from "./tracing.ts";

const API = {
  namespace: "shop",
  name: "api-0",
  owner: "api",
  labels: { app: "api", version: "v2" },
  serviceAccount: "api",
  ports: [],
};

function telemetryOf(yaml: string): EffectiveTelemetry | undefined {
  const snapshot = buildSnapshot({ resources: resourcesOf(yaml), workloads: [], rootsPem: [] });
  return effectiveTelemetry(snapshot, API);
}

const meshWith = (provider: string): string => `
extensionProviders:
- name: otel
  opentelemetry: ${provider}
defaultProviders: {tracing: [otel]}
defaultConfig: {tracing: {sampling: 100}}
`;

function tracingOf(context: TestContext): Tracing {
  const tracing = new Tracing({ nodeId: "node", log: recordedLog(), version: "1.2.3" });
  context.after(() => tracing.close());
  return tracing;
}

test("both sides of one request are one trace, told to the provider that the mesh names", async (context) => {
  const collector = await grpcCollector();
  context.after(() => collector.close());
  const telemetry = telemetryOf(meshWith(`{service: localhost, port: ${collector.port}}`));
  const tracing = tracingOf(context);
  const headers = headersOf({});
  const [caller, callee] = [tracing.of(telemetry, "source"), tracing.of(telemetry, "destination")];
  assert.ok(caller && callee);
  const outer = startSpan(caller, headers, { authority: "api" });
  const inner = startSpan(callee, headers, { containerPort: 8080 });
  assert.ok(outer && inner);
  endSpan(inner, loggedCall());
  endSpan(outer, loggedCall({ entry: { reporter: "source" } }));
  await tracing.close();
  const [first, second] = collector.spans;
  assert.equal(first?.traceId, second?.traceId);
  assert.equal(first?.parentSpanId, second?.spanId);
  assert.deepEqual([first?.kind, second?.kind], [2, 3]);
  assert.equal(first?.attributes["istio.canonical_revision"], "v2");
  assert.deepEqual(
    collector.requests.map(({ resource }) => resource["service.name"]),
    ["api.shop"],
  );
});

test("over HTTP, too", async (context) => {
  const collector = await httpCollector();
  context.after(() => collector.close());
  const telemetry = telemetryOf(
    meshWith(`{service: localhost, port: ${collector.port}, http: {path: /v1/traces}}`),
  );
  const tracing = tracingOf(context);
  const side = tracing.of(telemetry, "destination");
  const span = side && startSpan(side, headersOf({}), {});
  assert.ok(span);
  endSpan(span, loggedCall());
  await tracing.close();
  assert.equal(collector.requests[0]?.path, "/v1/traces");
  assert.equal(collector.spans.length, 1);
});

test("where nobody asks for spans there is nobody to tell", (context) => {
  const tracing = tracingOf(context);
  assert.equal(tracing.of(undefined, "source"), undefined);
  assert.equal(tracing.of({ inbound: [], outbound: [] }, "destination"), undefined);
});

test("a new view that says the same goes on with what was gathered; one that says nothing sends it", async (context) => {
  const collector = await grpcCollector();
  context.after(() => collector.close());
  const yaml = meshWith(`{service: localhost, port: ${collector.port}}`);
  const tracing = tracingOf(context);
  for (let view = 0; view < 2; view++) {
    const side = tracing.of(telemetryOf(yaml), "destination");
    const span = side && startSpan(side, headersOf({}), {});
    assert.ok(span);
    endSpan(span, loggedCall());
  }
  assert.deepEqual(tracing.counts(), [{ provider: "otel", sent: 0, lost: 0 }]);
  assert.equal(tracing.of(undefined, "destination"), undefined);
  await tracing.close();
  assert.deepEqual(
    collector.requests.map(({ spans }) => spans.length),
    [2],
  );
});
