/** What a real kube-apiserver makes of objects that leave things out. */
import type {
  JsonObject,
  KubernetesObject,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";
import { comparableObject } from "../../kit/kubernetes/comparable-object.ts";
import { DEFAULT_OBJECTS } from "../../kit/kubernetes/default-objects.ts";
import { collectionPath } from "../../kit/kubernetes/object-paths.ts";
import type { RealApiServer } from "./real-api-server.ts";

/** The first of the objects. */
const NAMESPACE = "defaulted";

export async function recordDefaults(real: RealApiServer): Promise<JsonObject[]> {
  const recorded: JsonObject[] = [];
  for (const body of DEFAULT_OBJECTS) {
    const answer = await real.call({ method: "POST", path: collectionPath(body, NAMESPACE), body });
    if (answer.status !== 201)
      throw new Error(`${body.kind} ${body.metadata.name}: ${JSON.stringify(answer.body)}`);
    const { metadata, ...object } = comparableObject(answer.body as KubernetesObject);
    const { managedFields: _, ...own } = metadata;
    recorded.push({ ...object, metadata: own });
  }
  return recorded;
}
