import assert from "node:assert/strict";
import { test } from "node:test";
import { type ApplicationPort, applicationProtocol } from "./application-protocol.ts";
import type { HttpProtocol } from "./http/received-message.ts";

const VERSIONS: readonly HttpProtocol[] = ["HTTP/1.0", "HTTP/1.1", "HTTP/2"];
const rows: [port: ApplicationPort, of1: "HTTP/1.1" | "HTTP/2", of2: "HTTP/1.1" | "HTTP/2"][] = [
  [{ protocol: "http" }, "HTTP/1.1", "HTTP/1.1"],
  [{ protocol: "http2" }, "HTTP/2", "HTTP/2"],
  [{ protocol: "auto" }, "HTTP/1.1", "HTTP/2"],
  [{ protocol: "http", httpVersion: "declared" }, "HTTP/1.1", "HTTP/1.1"],
  [{ protocol: "http2", httpVersion: "declared" }, "HTTP/2", "HTTP/2"],
  [{ protocol: "http", httpVersion: "HTTP/2" }, "HTTP/2", "HTTP/2"],
  [{ protocol: "auto", httpVersion: "HTTP/2" }, "HTTP/2", "HTTP/2"],
  [{ protocol: "http", httpVersion: "client's" }, "HTTP/1.1", "HTTP/2"],
  [{ protocol: "http2", httpVersion: "client's" }, "HTTP/1.1", "HTTP/2"],
  [{ protocol: "auto", httpVersion: "client's" }, "HTTP/1.1", "HTTP/2"],
  /** By the HTTP proxy, which can name any port. */
  [{ protocol: "tcp" }, "HTTP/1.1", "HTTP/1.1"],
];
for (const [port, of1, of2] of rows) {
  test(`${JSON.stringify(port)}: requests of HTTP/1 go on as ${of1}, of HTTP/2 as ${of2}`, () => {
    const spoken = VERSIONS.map((version) => applicationProtocol(port, version));
    assert.deepEqual(spoken, [of1, of1, of2]);
  });
}
