import assert from "node:assert/strict";
import { test } from "node:test";
import { isMeantFor } from "./token-audience.ts";

const rows: [aud: unknown, audiences: readonly string[], meant: boolean][] = [
  [undefined, [], true],
  ["other", [], true],
  [undefined, ["shop"], false],
  ["shop", ["shop"], true],
  [["other", "shop"], ["bank", "shop"], true],
  ["shop", ["bank"], false],
  [["shop", 1], ["1"], false],
  ["https://shop.example/", ["shop.example"], true],
  ["shop.example", ["http://shop.example"], true],
  ["ftp://shop.example", ["shop.example"], false],
];
for (const [aud, audiences, meant] of rows) {
  test(`JWT-33 aud ${JSON.stringify(aud)} ${meant ? "suits" : "does not suit"} [${audiences}]`, () => {
    assert.equal(isMeantFor(aud === undefined ? {} : { aud }, audiences), meant);
  });
}
