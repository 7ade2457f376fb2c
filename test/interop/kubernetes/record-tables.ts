/** How a real kube-apiserver prints objects for `kubectl get`. */
import type {
  JsonObject,
  KubernetesObject,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";
import { collectionPath } from "../../kit/kubernetes/object-paths.ts";
import type { RecordedTable } from "../../kit/kubernetes/recorded-table.ts";
import { TABLE_OBJECTS } from "../../kit/kubernetes/table-objects.ts";
import type { RealApiServer } from "./real-api-server.ts";

const NAMESPACE = "tables";
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";

export async function recordTables(real: RealApiServer): Promise<RecordedTable[]> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  await real.call({ method: "POST", path: "/api/v1/namespaces", body: namespace });
  const paths = new Map<string, KubernetesObject>();
  for (const { object, status } of TABLE_OBJECTS) {
    const path = collectionPath(object, NAMESPACE);
    paths.set(path, object);
    await change(real, { method: "POST", path, body: object });
    if (status === undefined) continue;
    const contentType = "application/merge-patch+json";
    const own = `${path}/${object.metadata.name}/status`;
    await change(real, { method: "PATCH", path: own, body: { status }, contentType });
  }
  const recorded: RecordedTable[] = [];
  for (const [path, { apiVersion, kind }] of paths) {
    const { body: list } = await real.call({ method: "GET", path });
    const { body: table } = await real.call({ method: "GET", path, accept: TABLE });
    const { items } = list as { items: KubernetesObject[] };
    const { columnDefinitions, rows } = table as {
      columnDefinitions: JsonObject[];
      rows: JsonObject[];
    };
    recorded.push({
      apiVersion,
      kind,
      now: Date.now(),
      objects: items.map(withoutManagers),
      columnDefinitions,
      rows: rows.map(({ object: _, ...row }) => row),
    });
  }
  return recorded;
}

async function change(
  real: RealApiServer,
  call: Parameters<RealApiServer["call"]>[0],
): Promise<void> {
  const { status, body } = await real.call(call);
  if (status >= 400) throw new Error(`${call.path}: ${JSON.stringify(body)}`);
}

function withoutManagers({ metadata, ...object }: KubernetesObject): KubernetesObject {
  const { managedFields: _, uid: __, resourceVersion: ___, ...own } = metadata;
  return { ...object, metadata: own } as KubernetesObject;
}
