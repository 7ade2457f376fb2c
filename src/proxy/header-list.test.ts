import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderList } from "./header-list.ts";

test("hop-by-hop fields stay behind, also those that Connection names", () => {
  const headers = HeaderList.endToEnd(
    ["Host", "a", "Connection", "close, X-Gone", "X-Gone", "1", "Keep-Alive", "2"].concat([
      "Transfer-Encoding",
      "chunked",
      "Upgrade",
      "h2c",
      "Proxy-Authorization",
      "x",
      "X-Kept",
      "3",
    ]),
  );
  assert.deepEqual(headers.flat(), ["Host", "a", "X-Kept", "3"]);
});

test("Connection cannot take away where a message goes or where it ends", () => {
  const raw = ["Host", "a", "Content-Length", "5", "Connection", "host, content-length"];
  assert.deepEqual(HeaderList.endToEnd(raw).flat(), ["Host", "a", "Content-Length", "5"]);
});

test("AP-80, QK-7: the values of one name are joined in order, whatever its letter case", () => {
  const headers = HeaderList.endToEnd(["X-Role", "user", "y", "1", "x-role", "admin"]);
  assert.equal(headers.get("x-role"), "user,admin");
  assert.equal(headers.get("absent"), undefined);
});

test("set replaces every field of a name", () => {
  const headers = HeaderList.endToEnd(["A", "1", "b", "2", "a", "3"]);
  headers.set("a", "4");
  assert.deepEqual(headers.flat(), ["b", "2", "a", "4"]);
});
