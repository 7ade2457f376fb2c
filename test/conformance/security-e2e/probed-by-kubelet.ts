/** Cases about probes: the pod is planned as any other, stands behind its own sidecar, and is probed as the mesh does it. */
import { createServer } from "node:http";
import { join } from "node:path";
import { ProbedPod } from "../../kit/probed-pod.ts";
import { readJson } from "../networkpolicy.ts";
import { type CaseOutcome, compare } from "../suite-runner.ts";
import { yamlOf } from "../upstream-objects.ts";
import { type E2eCase, unknownFields } from "./e2e-case.ts";
import { NotUnderstood } from "./not-understood.ts";
import type { RenderedPolicy } from "./rendered-policies.ts";

const CONTAINER = "app";
const ROOT_NAMESPACE = "istio-system";
/** Understood here, and nowhere else. */
const OWN_FIELDS = ["setup.podAnnotations", "from.kubelet"];
/** Nothing else is known of the probe: it asks for the root, and gives up after some tries. */
const PROBE = { periodSeconds: 1, failureThreshold: 3 };

interface Around {
  readonly policies: readonly RenderedPolicy[];
  readonly folder: string;
}

export function isAboutProbes({ from }: E2eCase): boolean {
  return from["kubelet"] === true;
}

/** @throws NotUnderstood */
export async function probedByKubelet(test: E2eCase, around: Around): Promise<CaseOutcome> {
  const unknown = unknownFields(test).filter((field) => !OWN_FIELDS.includes(field));
  const { podBecomesReady, ...others } = test.expected;
  unknown.push(...Object.keys(others).map((field) => `expected.${field}`));
  if (unknown.length > 0) throw new NotUnderstood(unknown.join(", "));
  const { note } = test.from;
  if (note !== "plaintext HTTP readiness probe") throw new NotUnderstood(`from.note ${note}`);
  const ready = await becomesReady(test, around);
  return compare({
    expected: podBecomesReady === undefined ? "" : `ready: ${podBecomesReady}`,
    got: `ready: ${ready}`,
  });
}

async function becomesReady(test: E2eCase, around: Around): Promise<boolean> {
  const { workload, port } = test.to;
  const containerPort = port.workloadPort;
  if (workload === undefined || containerPort === undefined) throw new NotUnderstood("to");
  const namespace = namespaceOf(test, around);
  const pod = await ProbedPod.start(
    yamlOf([
      {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: namespace, labels: { "istio-injection": "enabled" } },
      },
      deploymentOf(test, { namespace, name: workload, containerPort }),
      ...around.policies,
    ]),
  );
  try {
    await pod.serve(
      containerPort,
      createServer((_, response) => response.end("ok")),
    );
    return (await pod.readiness(CONTAINER)).ready;
  } finally {
    await pod.close();
  }
}

/** A namespace that upstream makes for the test alone; its policies were rendered with another's name in its place. */
function namespaceOf({ to }: E2eCase, { policies, folder }: Around): string {
  const { namespaces } = readJson<{ readonly namespaces: object }>(
    join(folder, "fixtures/topology.json"),
  );
  const { ns = "default" } = to;
  if (Object.hasOwn(namespaces, ns)) return ns;
  const rendered = policies.flatMap(({ metadata }) => metadata.namespace ?? []);
  return rendered.find((name) => name !== ROOT_NAMESPACE) ?? ns;
}

function deploymentOf(
  { setup, to }: E2eCase,
  {
    namespace,
    name,
    containerPort,
  }: { readonly namespace: string; readonly name: string; readonly containerPort: number },
): object {
  const labels = { app: name };
  const httpGet = { path: "/", port: containerPort };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations: setup?.["podAnnotations"] ?? {} },
        spec: {
          containers: [
            {
              name: CONTAINER,
              image: "echo",
              ports: [{ name: to.port.name, containerPort }],
              readinessProbe: { httpGet, ...PROBE },
            },
          ],
        },
      },
    },
  };
}
