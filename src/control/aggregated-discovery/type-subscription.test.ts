import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_RESOURCES } from "./resource-set.ts";
import { RESOURCE_TYPES } from "./resource-types.ts";
import { TypeSubscription, type TypeUpdate } from "./type-subscription.ts";

const [TYPE = assert.fail()] = RESOURCE_TYPES.filter(({ kind }) => kind === "endpoints");

test("names are measured where they are asked for, while an answer is awaited, and where they are refused", () => {
  const subscription = new TypeSubscription(TYPE);
  const ask = (subscribe: readonly string[], unsubscribe: readonly string[]) =>
    subscription.take({ subscribe, unsubscribe, held: {} }, NO_RESOURCES);
  const send = (nonce: string, update: TypeUpdate | undefined) =>
    subscription.sent(nonce, NO_RESOURCES, update ?? assert.fail());
  send("1", ask(["1234567"], []));
  assert.equal(subscription.nameCharacters, 14, "asked for, and awaited");
  ask([], ["1234567"]);
  assert.equal(subscription.nameCharacters, 7, "awaited");
  subscription.answer("1", "no");
  assert.equal(subscription.nameCharacters, 7, "refused");
  send("2", ask(["12345"], []));
  subscription.answer("2", undefined);
  assert.equal(subscription.nameCharacters, 12, "refused, and asked for");
});
