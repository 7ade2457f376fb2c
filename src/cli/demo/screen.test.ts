import assert from "node:assert/strict";
import { test } from "node:test";
import { smallTerminal } from "../../../test/kit/small-terminal.ts";
import { Screen } from "./screen.ts";

test("live lines are drawn anew in place, below what stays", () => {
  const terminal = smallTerminal(40);
  const screen = new Screen(terminal);
  screen.print("first");
  screen.showLive(["pending one", "0 of 2"]);
  assert.deepEqual(terminal.lines(), ["first", "pending one", "0 of 2", ""]);
  screen.print("meanwhile");
  assert.deepEqual(terminal.lines(), ["first", "meanwhile", "pending one", "0 of 2", ""]);
  screen.showLive(["pending two"]);
  assert.deepEqual(terminal.lines(), ["first", "meanwhile", "pending two", ""]);
  screen.showLive([]);
  assert.deepEqual(terminal.lines(), ["first", "meanwhile", ""]);
});

test("a line that stays is folded to the terminal", () => {
  const terminal = smallTerminal(20);
  new Screen(terminal).print("a line that is longer than twenty columns");
  assert.ok(terminal.widest() <= 20);
  assert.equal(terminal.lines().length, 4);
});
