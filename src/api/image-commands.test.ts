import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { containerCommand, type ImageCommand, imageCommand } from "./image-commands.ts";
import { parseResources } from "./parse-resources.ts";

const HEAD = "apiVersion: hauberk.dev/v1\nkind: ImageCommands\nmetadata: {name: local}\n";
const parse = (spec: string) => parseResources(`${HEAD}${spec}`, "images.yaml");

function images(spec: string): readonly ImageCommand[] {
  const { resources, issues } = parse(spec);
  assert.deepEqual(issues, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "ImageCommands");
  assert.equal(resource.meta.namespace, "");
  return resource.images;
}
const mapping = (...patterns: string[]): ImageCommand[] =>
  patterns.map((image) => ({
    image,
    command: [image],
    args: [],
    env: [],
    source: { file: "f", line: 1 },
  }));

test("all fields, and none but the needed ones", () => {
  const found = images(`spec:
  images:
  - image: openpolicyagent/opa:*-envoy
    command: [opa]
    args: [run]
    env: [{name: A, value: b}]
    workingDir: /srv
  - {image: other, command: [node, a.js]}`);
  assert.deepEqual(found, [
    {
      image: "openpolicyagent/opa:*-envoy",
      command: ["opa"],
      args: ["run"],
      env: [{ name: "A", value: "b" }],
      workingDir: "/srv",
      source: { file: "images.yaml", line: 6 },
    },
    {
      image: "other",
      command: ["node", "a.js"],
      args: [],
      env: [],
      source: { file: "images.yaml", line: 11 },
    },
  ]);
});

const matches: [pattern: string, image: string, matched: "yes" | "no"][] = [
  ["openpolicyagent/opa:*-envoy", "openpolicyagent/opa:latest-envoy", "yes"],
  ["openpolicyagent/opa:*-envoy", "openpolicyagent/opa:latest", "no"],
  ["openpolicyagent/opa:*-envoy", "docker.io/openpolicyagent/opa:latest-envoy", "no"],
  ["opa", "opa", "yes"],
  ["opa", "opa:latest", "no"],
  ["opa", "OPA", "no"],
  ["*", "anything", "yes"],
  ["*", "", "yes"],
  ["*/opa:*", "a/b/opa:1", "yes"],
  ["a*a", "a", "no"],
  ["a*a", "aa", "yes"],
  ["a*b*b", "ab", "no"],
  ["a*ab*b", "aabb", "yes"],
  ["a**b", "axb", "yes"],
  ["a.c", "abc", "no"],
];
for (const [pattern, image, matched] of matches) {
  test(`the pattern ${pattern} matches ${image || "nothing"}: ${matched}`, () => {
    assert.equal(
      imageCommand(mapping(pattern), image)?.image,
      matched === "yes" ? pattern : undefined,
    );
  });
}

test("the first match wins", () => {
  assert.equal(imageCommand(mapping("b", "a*", "*"), "ab")?.image, "a*");
});

test("law: a pattern means what the regular expression of its parts means", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
  let matched = 0;
  fc.assert(
    fc.property(text, text, (pattern, image) => {
      const expected = new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(image);
      if (expected) matched++;
      assert.equal(imageCommand(mapping(pattern), image) !== undefined, expected);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(matched > 20);
});

const OPA: ImageCommand = {
  image: "opa:*",
  command: ["opa", "-v"],
  args: ["run"],
  env: [{ name: "A", value: "b" }],
  workingDir: "/opa",
  source: { file: "f", line: 1 },
};
const container = { image: "opa:1", command: [], args: [] };

test("a container without a command runs that of its image, with its own arguments", () => {
  const env = [{ name: "A", value: "b" }];
  assert.deepEqual(
    containerCommand({ ...container, args: ["run", "-s"], workingDir: "/w" }, [OPA]),
    {
      argv: ["opa", "-v", "run", "-s"],
      env,
      workingDir: "/w",
      mappedAt: OPA.source,
    },
  );
  assert.deepEqual(containerCommand(container, [OPA]), {
    argv: ["opa", "-v", "run"],
    env,
    workingDir: "/opa",
    mappedAt: OPA.source,
  });
});

test("a container with a command keeps to it", () => {
  const own = { ...container, command: ["node"], args: ["a.js"] };
  assert.deepEqual(containerCommand(own, [OPA]), { argv: ["node", "a.js"], env: [] });
});

test("a container with neither has none", () => {
  assert.equal(containerCommand({ ...container, image: "x", args: ["a"] }, [OPA]), undefined);
});

const invalid: [spec: string, issue: RegExp][] = [
  ["spec: {}", /^4 spec\.images: must have at least one image$/],
  ["spec: {images: [{command: [a]}]}", /images\[0\]\.image: is missing$/],
  ["spec: {images: [{image: '', command: [a]}]}", /images\[0\]\.image: must not be empty$/],
  ["spec: {images: [{image: a}]}", /images\[0\]\.command: must have at least one item$/],
  ["spec: {images: [{image: a, command: b}]}", /command: is "b"; expected a list$/],
  ["spec: {images: [{image: a, command: [8]}]}", /command\[0\]: is the number 8/],
  [
    "spec: {images: [{image: a, command: [b]}, {image: a, command: [c]}]}",
    /images\[1\]\.image: "a" is given twice$/,
  ],
  [
    `spec: {images: [{image: ${"a".repeat(513)}, command: [b]}]}`,
    /must not be longer than 512 characters$/,
  ],
  [
    "spec: {images: [{image: a, command: [b], env: [{name: 'A=', value: b}]}]}",
    /"A=" is not the name of a variable/,
  ],
  [
    "spec: {images: [{image: a, command: [b], env: [{name: A, valueFrom: {}}]}]}",
    /valueFrom: is not a known field$/,
  ],
  ["spec: {images: [{image: a, comand: [b], command: [c]}]}", /did you mean command\?$/],
];
for (const [spec, issue] of invalid) {
  test(`${spec.slice(0, 80)} is refused`, () => {
    const { issues, resources } = parse(spec);
    const found = issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
    assert.deepEqual(resources, []);
  });
}

test("it lives in no namespace, and has its own apiVersion", () => {
  const fault = (text: string): string | undefined => parseResources(text, "f").issues[0]?.problem;
  const spec = "spec: {images: [{image: a, command: [b]}]}";
  assert.match(
    fault(`${HEAD.replace("local", "local, namespace: a")}${spec}`) ?? "",
    /the kind lives in none/,
  );
  assert.match(fault(`${HEAD.replace("hauberk.dev/v1", "v1")}${spec}`) ?? "", /expected hauberk/);
});
