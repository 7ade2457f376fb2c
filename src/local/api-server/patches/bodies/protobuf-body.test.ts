/** Every body that kubectl sent is what kubectl says it is (test/interop/kubernetes/record.ts). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { RecordedBody } from "../../../../../test/kit/kubernetes/recorded-body.ts";
import { plainObject } from "../../kinds/defaults/plain-values.ts";
import type { KubernetesObject } from "../../kinds/kubernetes-object.ts";
import { StatusError } from "../../objects/status-error.ts";
import { decodeProtobufBody } from "./protobuf-body.ts";

const recorded = JSON.parse(
  readFileSync("test/goldens/kubernetes/kubectl-bodies.json", "utf8"),
) as RecordedBody[];

describe("what kubectl creates", () => {
  test("is recorded", () => assert.ok(recorded.length >= 15));
  for (const { command, body, object } of recorded) {
    test(command, () => {
      const decoded = decodeProtobufBody(Buffer.from(body, "base64"));
      if (object === undefined) {
        const spec = { audiences: ["away.example"], expirationSeconds: 3600 };
        assert.deepEqual(decoded["spec"], spec);
        assert.equal(decoded.kind, "TokenRequest");
      } else {
        const { status: _, ...rest } = object;
        assert.deepEqual(decoded, plainObject(rest as KubernetesObject));
      }
    });
  }
});

/** An envelope of this kind around these octets. */
function enveloped(kind: string, raw: readonly number[]): Buffer {
  const name = Buffer.from(kind);
  const meta = [0x0a, 2, ...Buffer.from("v1"), 0x12, name.length, ...name];
  return Buffer.from([
    ...Buffer.from("k8s\0"),
    0x0a,
    meta.length,
    ...meta,
    0x12,
    raw.length,
    ...raw,
  ]);
}

const NAMED = [0x0a, 3, 0x0a, 1, 0x61];

const refused: [what: string, bytes: Buffer, message: RegExp][] = [
  ["nothing", Buffer.alloc(0), /does not begin/],
  ["JSON", Buffer.from("{}"), /does not begin/],
  ["an envelope cut short", Buffer.from("k8s\0\x0a\x7f"), /no Unknown/],
  ["a kind that is not known", enveloped("Frob", NAMED), /Frob of v1 is not taken/],
  ["a kind that every object has", enveloped("constructor", NAMED), /is not taken/],
  ["an object cut short", enveloped("ConfigMap", [0x0a, 9, 1]), /no ConfigMap/],
  ["a field that says something", enveloped("ConfigMap", [...NAMED, 0xf8, 1, 1]), /field 31/],
];
for (const [what, bytes, message] of refused) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => decodeProtobufBody(bytes),
      (error: unknown) => {
        assert.ok(error instanceof StatusError);
        assert.equal(error.status, 400);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test("a field that is not known may say nothing", () => {
  const decoded = decodeProtobufBody(enveloped("ConfigMap", [...NAMED, 0xf8, 1, 0]));
  assert.deepEqual(decoded.metadata, { name: "a" });
});
