import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { type DescribeOptions, describeCommand } from "./describe.ts";

const EXAMPLE = "examples/production";
const WORKLOADS = [
  "istio-ingress/ingress",
  "production/frontend",
  "production/api",
  "production/database",
  "legacy/outsider",
];

/** `UPDATE_GOLDEN=1` writes the texts anew. */
for (const workload of WORKLOADS) {
  test(`describe ${workload} of the example`, async () => {
    const { code, text } = await described(workload, { file: [EXAMPLE] });
    const golden = `test/goldens/describe/${workload.replace("/", "-")}.txt`;
    if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(golden, text);
    assert.equal(text, readFileSync(golden, "utf8"));
    assert.equal(code, 0);
  });
}

test("a mesh that shows what a rule is on each port: AP-61, AP-62, dry run, CUSTOM, AUDIT", async () => {
  const { text } = await described("shop/cart", { file: ["test/meshes/describe"] });
  const golden = "test/goldens/describe/shop-cart.txt";
  if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, "utf8"));
});

test("as JSON, for programs", async () => {
  const { text } = await described("shop/cart", { file: ["test/meshes/describe"], json: true });
  const { policies, ports } = JSON.parse(text);
  assert.deepEqual(
    ports.map(({ containerPort }: { containerPort: number }) => containerPort),
    [8080, 9090, 7070],
  );
  assert.equal(policies[0].action, "CUSTOM");
});

test("policy text cannot steer the terminal, or begin a line of its own", async () => {
  const { text } = await described("shop/cart", {
    file: ["test/meshes/describe", "test/meshes/hostile"],
  });
  assert.match(text, /\\u\{1b\}\[31mred/);
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
  assert.doesNotMatch(text, /^FAKE/m);
});

test("a workload that is not there: what is there", async () => {
  const { code, text } = await described("shop/chart", { file: ["test/meshes/describe"] });
  assert.equal(code, 1);
  assert.equal(text, "hauberk: shop/chart: no such workload; did you mean shop/cart?\n");
});

async function described(
  workload: string,
  options: DescribeOptions,
): Promise<{ readonly code: number; readonly text: string }> {
  let text = "";
  const print = (line: string): void => {
    text += `${line}\n`;
  };
  const code = await describeCommand(workload, options, { print, warn: print });
  return { code, text };
}
