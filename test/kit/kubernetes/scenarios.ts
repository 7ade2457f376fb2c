/** Sequences that nobody throws dice for: what must happen, and who owns what of kinds that dice do not make. */
import type {
  JsonObject,
  JsonValue,
  KubernetesObject,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";
import type { RecordedStep } from "./comparable-object.ts";
import { DEFAULT_OBJECTS } from "./default-objects.ts";
import { servedKindOf } from "./object-paths.ts";
import type { Operation, OperationSequence } from "./operation-sequences.ts";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

export interface Scenario {
  readonly title: string;
  readonly sequence: OperationSequence;
}

function scenario(
  title: string,
  object: KubernetesObject,
  operations: readonly Operation[],
): Scenario {
  const { apiVersion, kind } = object;
  const { plural, origin } = servedKindOf(object);
  const name = object.metadata.name ?? "";
  const made = { kind, apiVersion, plural, origin, make: () => ({}) };
  return { title, sequence: { seed: 0, kind: made, name, operations } };
}

const settings = (
  name: string,
  fields: JsonObject,
  metadata: JsonObject = {},
): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  ...fields,
});

const create = (manager: string, body: KubernetesObject): Operation => ({
  type: "create",
  manager,
  body,
});
const merge = (manager: string, body: JsonValue): Operation => ({ type: "merge", manager, body });
const apply = (manager: string, body: KubernetesObject, force = false): Operation => ({
  type: "apply",
  manager,
  body,
  force,
});

const clientSide = (name: string, data: JsonObject): KubernetesObject => {
  const bare = settings(name, { data });
  const text = `${JSON.stringify({ ...bare, metadata: { annotations: {}, name } })}\n`;
  return settings(name, { data }, { annotations: { [LAST_APPLIED]: text } });
};

const peers = (name: string, spec: JsonObject): KubernetesObject => ({
  apiVersion: "security.istio.io/v1",
  kind: "PeerAuthentication",
  metadata: { name },
  spec: { selector: { matchLabels: { app: "shop" } }, ...spec },
});

const entry = (fields: JsonObject): JsonValue => ({
  metadata: { labels: { z: "1" }, managedFields: [{ ...OWNED, ...fields }] },
});
const OWNED: JsonObject = {
  manager: "other",
  operation: "Update",
  apiVersion: "v1",
  fieldsType: "FieldsV1",
  fieldsV1: { "f:data": { "f:a": {} } },
};

const letters = "abcdefghijklmno".split("");
const data = { a: "1", b: "2" };

const OWNERSHIP: readonly Scenario[] = [
  scenario("kubectl goes from client side to server side", clientSide("moved", data), [
    create("kubectl-client-side-apply", clientSide("moved", data)),
    apply("kubectl", settings("moved", { data: { a: "9", c: "3" } })),
    apply("kubectl", settings("moved", { data: { a: "9" } })),
  ]),
  scenario("kubectl does not take what another has changed since", clientSide("kept", data), [
    create("kubectl-client-side-apply", clientSide("kept", data)),
    merge("alpha", { data: { a: "7" } }),
    apply("kubectl", settings("kept", { data: { a: "9", b: "9" } })),
    apply("kubectl", settings("kept", { data: { b: "9" } })),
  ]),
  scenario("others have no use of what kubectl applied last", clientSide("others", data), [
    create("kubectl-client-side-apply", clientSide("others", data)),
    apply("delta", settings("others", { data: { a: "9" } })),
  ]),
  scenario("more updaters than are told apart", settings("many", { data }), [
    create("first", settings("many", { data })),
    ...letters.map((letter) => merge(letter, { data: { [letter]: letter } })),
    merge("b", { data: { b: "again" } }),
  ]),
  scenario("owners are forgotten, and there is a first apply", settings("forgotten", { data }), [
    create("alpha", settings("forgotten", { data })),
    merge("alpha", { metadata: { managedFields: [{}] } }),
    merge("beta", { data: { b: "7" } }),
    apply("delta", settings("forgotten", { data: { a: "1" } })),
    apply("delta", settings("forgotten", { data: { a: "2" } })),
    apply("delta", settings("forgotten", { data: { a: "2" } }), true),
  ]),
  scenario("owners that somebody writes", settings("written", { data }), [
    create("alpha", settings("written", { data })),
    merge("beta", entry({})),
    apply("delta", settings("written", { data: { a: "2" } })),
  ]),
  ...[
    { operation: "Frob" },
    { apiVersion: "" },
    { fieldsType: "FieldsV2" },
    { fieldsV1: { "x:data": {} } },
    { fieldsV1: { "k:{": {} } },
    { fieldsV1: { 'k:{"b":1, "a":2}': {} } },
  ].map((fields, index) =>
    scenario(
      `owners that are none: ${JSON.stringify(fields)}`,
      settings(`none-${index}`, { data }),
      [create("alpha", settings(`none-${index}`, { data })), merge("beta", entry(fields))],
    ),
  ),
  scenario("a value that two apply goes when both want it no more", settings("shared", { data }), [
    apply("delta", settings("shared", { data })),
    apply("epsilon", settings("shared", { data: { a: "1" } })),
    apply("delta", settings("shared", { data: { b: "2" } })),
    apply("epsilon", settings("shared", {})),
    apply("delta", settings("shared", {})),
  ]),
  scenario("an applier takes nothing away that an updater wrote", settings("left", { data }), [
    apply("delta", settings("left", { data })),
    merge("alpha", { data: { a: "7" } }),
    apply("delta", settings("left", { data: { b: "2" } })),
    merge("alpha", { data: { b: "2" } }),
    apply("delta", settings("left", {})),
  ]),
  scenario("maps in maps have owners of their own", peers("maps", {}), [
    apply("delta", peers("maps", { portLevelMtls: { "80": { mode: "STRICT" } } })),
    apply("epsilon", peers("maps", { portLevelMtls: { "81": { mode: "DISABLE" } } })),
    apply("epsilon", peers("maps", { portLevelMtls: { "80": { mode: "DISABLE" } } })),
    apply("delta", peers("maps", { portLevelMtls: { "80": { mode: "STRICT" }, "82": {} } })),
    apply("delta", peers("maps", {})),
    apply("delta", peers("maps", { portLevelMtls: {} })),
  ]),
  scenario("keys that every object seems to have", settings("keys", { data }), [
    apply("delta", settings("keys", { data: { constructor: "1", toString: "2" } })),
    merge("alpha", { data: { constructor: "3", valueOf: "4" } }),
    apply("delta", settings("keys", { data: { toString: "2" } })),
  ]),
];

/**
 * Events, which are not applied; ports that only one Service can have; and a slice of none, which is kept as nothing here
 * at once and there only when it is stored.
 */
function isLeftOut({ kind, metadata, spec }: KubernetesObject): boolean {
  if (kind === "Event" || (kind === "EndpointSlice" && metadata.name === "empty")) return true;
  return JSON.stringify(spec ?? {}).includes('"nodePort":3');
}

/** Made, touched, and applied in part. */
const KINDS: readonly Scenario[] = DEFAULT_OBJECTS.filter(
  (object) => servedKindOf(object).namespaced && !isLeftOut(object),
).map((object) => {
  const { name = "", ...metadata } = object.metadata;
  const { apiVersion, kind } = object;
  const own = { ...object, metadata: { ...metadata, name: `kind-${kind.toLowerCase()}-${name}` } };
  const bare = { apiVersion, kind, metadata: { name: own.metadata.name, labels: { z: "2" } } };
  return scenario(`${kind} ${name}`, own, [
    create("alpha", own),
    merge("beta", { metadata: { labels: { y: "1" } } }),
    apply("delta", bare),
  ]);
});

/** What was done in one step of a scenario. */
export interface RecordedScenarioStep extends RecordedStep {
  /** As they are afterwards. */
  readonly managedFields?: readonly JsonObject[];
}

export interface RecordedScenario {
  readonly title: string;
  readonly steps: readonly RecordedScenarioStep[];
}

export const SCENARIOS: readonly Scenario[] = [...OWNERSHIP, ...KINDS];
