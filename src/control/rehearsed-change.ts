/**
 * A change of a mesh that does not exist, carried out when a control plane begins: a program's first way through its own code
 * takes ten times as long as the second, and the first change that the real mesh sees may be what shuts somebody out.
 */
import { buildSnapshot } from "../policy/mesh-snapshot.ts";
import { MeshViews } from "../policy/mesh-views.ts";
import { planWorkloads } from "../policy/plan-workloads.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { changedFields, encodeView, wholeView } from "./encoded-view.ts";
import { changeIssues } from "./resource-store.ts";
import { TextReader, type WrittenText } from "./written-texts.ts";

const MESH: WrittenText = {
  file: "mesh",
  text: `
apiVersion: v1
kind: Namespace
metadata: {name: rehearsal, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: rehearsal}
spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 81, targetPort: 8081}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: rehearsal}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: api, ports: [{containerPort: 8080}, {containerPort: 8081}]}]}
`,
};

/** As objects of an API server are: with what it adds. */
const POLICIES: WrittenText = {
  file: "policies",
  text: `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny, namespace: rehearsal, uid: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  selector: {matchLabels: {app: api}}
  action: DENY
  rules:
  - from: [{source: {namespaces: [other], notPrincipals: [cluster.local/ns/other/sa/one]}}]
    to: [{operation: {methods: [POST], paths: [/admin*, "*.json"], notPorts: ["1"]}}]
    when: [{key: "request.headers[x-role]", values: [guest]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: allow, namespace: rehearsal}
spec: {rules: [{from: [{source: {principals: [cluster.local/ns/other/sa/one]}}]}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: rehearsal}
spec: {mtls: {mode: STRICT}, portLevelMtls: {8081: {mode: PERMISSIVE}}, selector: {matchLabels: {app: api}}}
`,
};

/** What the only sidecar is told before and after. */
export interface RehearsedChange {
  readonly before: WorkloadView;
  readonly after: WorkloadView;
}

/** When there is nothing else to do; whatever comes of it. */
export function rehearseSoon(rehearse: () => void, log: Log): void {
  setImmediate(() => {
    try {
      rehearse();
    } catch (error) {
      log.error("a rehearsal failed", { problem: describeError(error) });
    }
  });
}

/** @throws RangeError where it has an issue: what it says is ours */
export function rehearseChange(): RehearsedChange {
  const reader = new TextReader();
  const views = new MeshViews();
  const build = (texts: readonly WrittenText[]): WorkloadView => {
    const parsed = reader.read(texts);
    const { resources } = parsed;
    const issues = changeIssues(parsed, { now: resources, judge: () => [] });
    const workloads = planWorkloads(resources, {
      addresses: () => undefined,
      place: () => ({ address: "127.0.0.1", port: 1 }),
      uid: () => "",
    });
    const [view] = views.build(buildSnapshot({ resources, workloads, rootsPem: [] })).values();
    if (view === undefined || issues.length > 0)
      throw new RangeError(`the rehearsal fails: ${issues[0]?.path} ${issues[0]?.problem}`);
    encodeView(view);
    return view;
  };
  const before = build([MESH]);
  const after = build([MESH, POLICIES]);
  wholeView(after);
  changedFields(before, after);
  return { before, after };
}
