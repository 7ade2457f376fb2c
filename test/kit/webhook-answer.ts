/** What the rules of istiod's webhook say of a resource of ours, as `path: words`; the schema's say is left out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { validateResources } from "../../src/api/validate-resources.ts";

export interface WebhookAnswer {
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
}

export interface AnsweredKind {
  readonly kind: string;
  readonly name?: string;
  /** In YAML's short notation: `{a: b}`. */
  readonly annotations?: string;
}

/** @param spec YAML of one line or several, as it stands under `spec:` in short notation */
export function webhookAnswer(
  { kind, name = "sample", annotations = "{}" }: AnsweredKind,
  spec: string,
): WebhookAnswer {
  const text = `apiVersion: networking.istio.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: shop, annotations: ${annotations}}
spec: ${spec}`;
  const documents = validateResources(text, "sample.yaml");
  const own = ({ level }: { readonly level?: string }): boolean => level === "webhook";
  return {
    refusals: documents
      .flatMap(({ issues }) => issues.filter(own))
      .map(({ path, problem }) => `${path}: ${problem}`),
    warnings: documents
      .flatMap(({ notices }) => notices.filter(own))
      .map(({ path, message }) => `${path}: ${message}`),
  };
}

/** What a row expects: nothing said at all, or all that is said, in its order. */
export type WebhookRow = readonly [spec: string, ...said: RegExp[]];

/** One test a row: exactly the refusals that it names, and no warning. */
export function testRefusals(kind: AnsweredKind, rows: readonly WebhookRow[]): void {
  for (const [spec, ...expected] of rows) {
    const verdict = expected.length === 0 ? "accepted" : "refused";
    test(`${kind.kind} ${spec} is ${verdict}`, () => {
      const { refusals, warnings } = webhookAnswer(kind, spec);
      assert.deepEqual(warnings, []);
      assertSaid(refusals, expected);
    });
  }
}

/** One test a row: accepted, with exactly the warnings that it names. */
export function testWarnings(kind: AnsweredKind, rows: readonly WebhookRow[]): void {
  for (const [spec, ...expected] of rows) {
    test(`${kind.kind} ${spec} is accepted, with ${expected.length} warnings`, () => {
      const { refusals, warnings } = webhookAnswer(kind, spec);
      assert.deepEqual(refusals, []);
      assertSaid(warnings, expected);
    });
  }
}

function assertSaid(said: readonly string[], expected: readonly RegExp[]): void {
  assert.equal(said.length, expected.length, said.join("\n") || "nothing is said");
  for (const [index, pattern] of expected.entries()) assert.match(said[index] ?? "", pattern);
}
