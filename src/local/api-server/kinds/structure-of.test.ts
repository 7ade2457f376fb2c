/** The structures of Kubernetes' own kinds are those that a kube-apiserver publishes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { coreDefinitionName, coreDefinitions } from "../openapi/core-definitions.ts";
import { type OpenApiSchema, referredName } from "../openapi/openapi-schema.ts";
import {
  isNamed,
  memberStructure,
  type Resolved,
  resolved,
} from "../patches/resolved-structure.ts";
import type { JsonValue } from "./kubernetes-object.ts";
import { SERVED_KINDS } from "./served-kinds.ts";
import type { Structure } from "./structure.ts";

/** The schema itself, with what the reference to it says of its own. */
function whole(schema: OpenApiSchema): OpenApiSchema {
  const name = referredName(schema);
  const { $ref: _, allOf: __, ...own } = schema;
  return name === undefined ? schema : { ...coreDefinitions().get(name), ...own };
}

function typeOf(schema: OpenApiSchema): "map" | "list" | "scalar" {
  if (schema.type === "array") return "list";
  return schema.properties || schema.additionalProperties ? "map" : "scalar";
}

class Differences {
  readonly found: string[] = [];
  compared = 0;

  compare(given: OpenApiSchema, structure: Structure, path: string): void {
    const schema = whole(given);
    const type = typeOf(schema);
    this.compared += 1;
    if (type === "list") this.#compareList(schema, resolved(structure, []), path);
    else if (type === "map") this.#compareMap(schema, resolved(structure, {}), path);
    else this.#same("atomic", resolved(structure, "").type, path);
  }

  #same(expected: unknown, found: unknown, path: string): void {
    const [one, other] = [JSON.stringify(expected), JSON.stringify(found)];
    if (one !== other) this.found.push(`${path}: ${other}, not ${one}`);
  }

  #compareMap(schema: OpenApiSchema, here: Resolved, path: string): void {
    const isAtomic = schema["x-kubernetes-map-type"] === "atomic";
    this.#same(isAtomic ? "atomic" : "map", here.type, path);
    if (here.type !== "map") return;
    const { properties = {}, additionalProperties } = schema;
    for (const name of Object.keys(here.fields)) {
      if (properties[name] === undefined) this.found.push(`${path}.${name}: there is none`);
    }
    for (const [name, property] of Object.entries(properties)) {
      if (!isNamed(here, name)) this.found.push(`${path}.${name}: not known`);
      this.compare(property, memberStructure(here, name), `${path}.${name}`);
    }
    if (additionalProperties)
      this.compare(additionalProperties, memberStructure(here, "x"), `${path}.*`);
  }

  #compareList(schema: OpenApiSchema, here: Resolved, path: string): void {
    const form = schema["x-kubernetes-list-type"] ?? "atomic";
    const strategy = schema["x-kubernetes-patch-strategy"];
    const merges = typeof strategy === "string" && strategy.split(",").includes("merge");
    const patchKey = merges ? schema["x-kubernetes-patch-merge-key"] : undefined;
    const item = schema.items ?? {};
    if (form === "map") {
      const keys = schema["x-kubernetes-list-map-keys"] as readonly string[];
      this.#same("list", here.type, path);
      if (here.type !== "list") return;
      this.#same(keys, here.keys, `${path} keys`);
      this.#same(defaultsOf(item, keys), here.defaults ?? {}, `${path} defaults`);
      const own = here.patchKey === undefined ? here.keys[0] : (here.patchKey ?? undefined);
      this.#same(patchKey, own, `${path} patches`);
      this.compare(item, here.item, `${path}[]`);
    } else if (form === "set") {
      this.#same("set", here.type, path);
      this.#same(
        merges ? "merge" : "replace",
        here.type === "set" && here.patch,
        `${path} patches`,
      );
    } else {
      this.#same("atomic", here.type, path);
      this.#same(patchKey, here.type === "atomic" ? here.patchKey : undefined, `${path} patches`);
    }
  }
}

function defaultsOf(item: OpenApiSchema, keys: readonly string[]): Record<string, JsonValue> {
  const { properties = {} } = whole(item);
  const known = keys.flatMap((key): [string, JsonValue][] => {
    const value = properties[key] && whole(properties[key]).default;
    return value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(known);
}

describe("structures are those of a kube-apiserver", () => {
  let compared = 0;
  for (const { group, versions, kind, structure, origin } of SERVED_KINDS) {
    if (origin === "custom") continue;
    test(kind, () => {
      const [version] = versions;
      const name = coreDefinitionName(group === "" ? version : `${group}/${version}`, kind);
      const schema = name === undefined ? undefined : coreDefinitions().get(name);
      assert.ok(schema !== undefined);
      const differences = new Differences();
      differences.compare(schema, structure, "");
      assert.deepEqual(differences.found, []);
      compared += differences.compared;
    });
  }
  test("all of them were looked at", () => assert.ok(compared > 1000, `${compared}`));
});
