/** Tables of small resources, and where istiod's webhook would find fault with each or warn of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { webhookSayings } from "./webhook-sayings.ts";

export interface WebhookRow {
  /** What is tried, in words. */
  readonly name: string;
  /** The `spec`, as a flow map. */
  readonly spec: string;
  /** Paths inside the document, in the order of lines; none when the resource is good. */
  readonly faults?: readonly string[];
  readonly warnings?: readonly string[];
  readonly labels?: string;
}

/** Makes one test of each row. The resource is `a` in namespace `shop`. */
export function testWebhook(
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  rows: readonly WebhookRow[],
): void {
  for (const { name, spec, labels = "{}", faults = [], warnings = [] } of rows) {
    const metadata = `{name: a, namespace: shop, labels: ${labels}}`;
    const text = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}\n`;
    test(`${kind}: ${name}`, () => {
      const said = webhookSayings(text);
      assert.deepEqual(said.faults.map(placeOf), faults, said.faults.join("\n"));
      assert.deepEqual(said.warnings.map(placeOf), warnings, said.warnings.join("\n"));
    });
  }
}

function placeOf(saying: string): string {
  return /^(.*?): /.exec(saying)?.[1] ?? "";
}
