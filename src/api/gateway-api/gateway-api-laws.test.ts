/** Laws of the Gateway API's kinds: what may be named, and that whatever is written is read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseResources } from "../parse-resources.ts";
import { isGranted, type ReferenceGrant } from "./reference-grant.ts";

const parsed = (kind: string, spec: string): ReturnType<typeof parseResources> => {
  const namespace = kind === "GatewayClass" ? "" : ", namespace: shop";
  return parseResources(
    `apiVersion: gateway.networking.k8s.io/v1\nkind: ${kind}\nmetadata: {name: edge${namespace}}\nspec: ${spec}\n`,
    "f",
  );
};

const namespaces = fc.constantFrom("a", "b");
test("law: what is named elsewhere needs a grant there, for whoever names it and for what is named", () => {
  const grant = fc.record({
    owner: namespaces,
    from: namespaces,
    kind: fc.constantFrom("Secret", "Service"),
    name: fc.constantFrom("x", "y", undefined),
  });
  fc.assert(
    fc.property(
      fc.array(grant, { maxLength: 3 }),
      namespaces,
      namespaces,
      (grants, from, namespace) => {
        const written = grants.map(
          ({ owner, from: allowed, kind, name }): ReferenceGrant => ({
            kind: "ReferenceGrant",
            meta: {
              apiVersion: "",
              namespace: owner,
              name: "g",
              labels: {},
              annotations: {},
              source: { file: "f", line: 1 },
            },
            from: [{ group: "gateway.networking.k8s.io", kind: "Gateway", namespace: allowed }],
            to: [{ group: "", kind, ...(name !== undefined && { name }) }],
          }),
        );
        const granted = isGranted(written, {
          from: { group: "gateway.networking.k8s.io", kind: "Gateway", namespace: from },
          to: { group: "", kind: "Secret", namespace, name: "x" },
        });
        const expected =
          from === namespace ||
          grants.some(
            (one) =>
              one.owner === namespace &&
              one.from === from &&
              one.kind === "Secret" &&
              one.name !== "y",
          );
        assert.equal(granted, expected);
      },
    ),
  );
});

const word = fc.constantFrom(
  "listeners",
  "name",
  "port",
  "protocol",
  "tls",
  "rules",
  "matches",
  "path",
  "value",
  "filters",
  "type",
  "URLRewrite",
  "urlRewrite",
  "backendRefs",
  "from",
  "to",
  "kind",
  "hostnames",
  "parentRefs",
  "HTTP",
  "/a",
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    word,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    tie("list"),
    tie("map"),
  ),
  list: fc.array(tie("value"), { maxLength: 3 }),
  map: fc.dictionary(word, tie("value"), { maxKeys: 4 }),
}));
test("law: any spec is read without throwing, and is a resource or has issues", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("Gateway", "GatewayClass", "HTTPRoute", "ReferenceGrant"),
      value,
      (kind, spec) => {
        const { resources, issues } = parsed(kind, JSON.stringify(spec));
        assert.equal(resources.length, issues.length === 0 ? 1 : 0);
      },
    ),
    { numRuns: 500 },
  );
});
