/**
 * The structure of a WasmPlugin.
 * Source: https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/
 */
import { targetRef, targetRefs } from "../parts/target-reference.ts";
import { workloadSelector } from "../parts/workload-selector.ts";
import { MODULE_URL, SELECTOR_OR_TARGETS, VALUE_OR_HOST } from "../rules.ts";
import {
  anyMap,
  choice,
  int32,
  integer,
  list,
  type ObjectSchema,
  object,
  resource,
  text,
} from "../schema.ts";

const vmConfig = object({
  env: list(
    object(
      {
        name: text({ minLength: 1, maxLength: 256 }),
        value: text({ maxLength: 2048 }),
        valueFrom: choice(["INLINE", "HOST"]),
      },
      { required: ["name"], rules: [VALUE_OR_HOST] },
    ),
    { maxItems: 256, uniqueBy: "name" },
  ),
});

const trafficMatch = object({
  mode: choice(["UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"]),
  ports: list(object({ number: integer({ min: 1, max: 65535 }) }, { required: ["number"] }), {
    uniqueBy: "number",
  }),
});

const spec = object(
  {
    failStrategy: choice(["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"]),
    imagePullPolicy: choice(["UNSPECIFIED_POLICY", "IfNotPresent", "Always"]),
    imagePullSecret: text({ minLength: 1, maxLength: 253 }),
    match: list(trafficMatch),
    phase: choice(["UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"]),
    pluginConfig: anyMap,
    pluginName: text({ minLength: 1, maxLength: 256 }),
    priority: int32({ nullable: true }),
    selector: workloadSelector,
    sha256: text({ pattern: /(^$|^[a-f0-9]{64}$)/ }),
    targetRef,
    targetRefs,
    type: choice(["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"]),
    url: text({ minLength: 1, rules: [MODULE_URL] }),
    verificationKey: text(),
    vmConfig,
  },
  { required: ["url"], rules: [SELECTOR_OR_TARGETS] },
);

export const wasmPluginSchema: ObjectSchema = resource(spec, "required");
