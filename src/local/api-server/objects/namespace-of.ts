/** Whether a namespace takes new objects. */
import { valueAt } from "../kinds/json-access.ts";
import type { ObjectPlace } from "./object-change.ts";
import type { ObjectStore } from "./object-store.ts";
import { forbidden, notFound } from "./refusals.ts";

const NAMESPACE = { group: "", kind: "Namespace", plural: "namespaces" };

/**
 * @throws StatusError 404 when it is not there, 403 when it is going; nothing where the kind lives in none
 */
export function namespaceFor(store: ObjectStore, { kind, namespace, name }: ObjectPlace): void {
  const namespaces = store.kinds.find(
    ({ group, plural }) => group === "" && plural === "namespaces",
  );
  if (!kind.namespaced || namespaces === undefined) return;
  const found = store.get({ kind: namespaces, namespace: "", name: namespace });
  if (found === undefined) throw notFound(NAMESPACE, namespace);
  if (valueAt(found, ["status", "phase"]) !== "Terminating") return;
  const problem = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const message = `namespace ${namespace} is being terminated`;
  const causes = [{ reason: "NamespaceTerminating", message, field: "metadata.namespace" }];
  throw forbidden(kind, name, { problem, causes });
}
