import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderList } from "./header-list.ts";

test("hop-by-hop fields do not go on, also those that Connection names", () => {
  const headers = new HeaderList(
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
  assert.deepEqual(headers.endToEnd(), ["Host", "a", "X-Kept", "3"]);
});

test("fields that do not go on are there to be judged", () => {
  const headers = new HeaderList(["Connection", "x-role", "X-Role", "admin"]);
  assert.equal(headers.get("x-role"), "admin");
  assert.equal(headers.get("connection"), "x-role");
  assert.deepEqual(headers.endToEnd(), []);
});

for (const name of [
  "Host",
  "Content-Length",
  "Authorization",
  "Cookie",
  "X-Request-Id",
  "X-Forwarded-For",
  "X-Forwarded-Proto",
  "X-Forwarded-Client-Cert",
]) {
  test(`Connection cannot take ${name} away`, () => {
    const raw = [name, "5", "Connection", `close, ${name.toLowerCase()}`];
    assert.deepEqual(new HeaderList(raw).endToEnd(), [name, "5"]);
  });
}

test("AP-80, QK-7: the values of one name are joined in order, whatever its letter case", () => {
  const headers = new HeaderList(["X-Role", "user", "y", "1", "x-role", "admin"]);
  assert.equal(headers.get("x-role"), "user,admin");
  assert.equal(headers.get("absent"), undefined);
});

test("set replaces every field of a name", () => {
  const headers = new HeaderList(["A", "1", "b", "2", "a", "3"]);
  headers.set("a", "4");
  assert.deepEqual(headers.endToEnd(), ["b", "2", "a", "4"]);
});
