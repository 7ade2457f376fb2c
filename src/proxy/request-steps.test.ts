import assert from "node:assert/strict";
import { test } from "node:test";
import { STRANGER_HEAD } from "../http/head-limits.ts";
import { RequestHead } from "../http/http1/request-head.ts";
import { HeldFields } from "./http/held-fields.ts";
import { Http1Fields } from "./http/http1-fields.ts";
import { refuseLargeHead } from "./request-steps.ts";

const HOST = "Host: a\r\n";

/** As HTTP/1 writes them, loaded as they lie. */
function fieldsOf(octets: number, count: number): HeldFields {
  const rest = octets - HOST.length;
  const each = Math.floor(rest / count);
  const names = Array.from({ length: count }, (_, index) => `x-${100 + index}`);
  const lengths = names.map((name, index) => {
    const length = index === 0 ? rest - each * (count - 1) : each;
    return length - name.length - ": \r\n".length;
  });
  const lines = names.map((name, index) => `${name}: ${"v".repeat(lengths[index] ?? 0)}\r\n`);
  const bytes = Buffer.from(`GET / HTTP/1.1\r\n${HOST}${lines.join("")}\r\n`, "latin1");
  const head = new RequestHead();
  assert.equal(head.scan(bytes, 0, bytes.length), bytes.length, head.problem.code);
  const view = new Http1Fields();
  view.show(head);
  const held = HeldFields.borrow();
  held.load(view);
  return held;
}

test("a head is as long as HTTP/1 writes it, each octet counted once", () => {
  const path = "/";
  const most = STRANGER_HEAD.octets - path.length;
  for (const count of [1, 50, 99]) {
    for (const octets of [most, most + 1]) {
      const headers = fieldsOf(octets, count);
      const result = refuseLargeHead({ headers, path, authority: "" });
      const expected = octets === most ? "continue" : 431;
      assert.equal(typeof result === "string" ? result : result.status, expected, `${count}`);
      headers.release();
    }
  }
});
