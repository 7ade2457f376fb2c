import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidDerError, readDer } from "./der.ts";
import { type AlternativeName, readGeneralName } from "./general-name.ts";

const read = (hex: string): AlternativeName => readGeneralName(readDer(Buffer.from(hex, "hex")));

const accepted: [what: string, hex: string, name: AlternativeName][] = [
  ["a URI", "8603613a62", { kind: "uri", value: "a:b" }],
  ["a DNS name", "8203612e62", { kind: "dns", value: "a.b" }],
  ["a mail address", "8103614062", { kind: "other", value: "" }],
  ["an IPv4 address", "87040a000001", { kind: "other", value: "" }],
  ["an IPv6 address", `8710${"00".repeat(15)}01`, { kind: "other", value: "" }],
  ["a registered id", "88032a0304", { kind: "other", value: "" }],
  ["another name", "a00906032a0304a0020500", { kind: "other", value: "" }],
  ["a directory name", "a40f300d310b300906035504030c026162", { kind: "other", value: "" }],
];
for (const [what, hex, name] of accepted) {
  test(`reads ${what}`, () => assert.deepEqual(read(hex), name));
}

const refused: [what: string, hex: string][] = [
  ["a URI that is constructed", "a603613a62"],
  ["a URI that is not ASCII", "8602c3a9"],
  ["an address of five bytes", "87050a00000100"],
  ["an address that is constructed", "a7040a000001"],
  ["a registered id that is padded", "8803800304"],
  ["another name without its value", "a00506032a0304"],
  ["another name whose value is no element", "a00706032a03040500"],
  ["another name with two values", "a00b06032a0304a00405000500"],
  ["a directory name with an empty part", "a40430023100"],
  ["a directory name of two", "a40430003000"],
  ["a directory name with half an attribute", "a40b3009310730050603550403"],
  ["an X.400 address", "a3023000"],
  ["a universal type", "0c0161"],
];
for (const [what, hex] of refused) {
  test(`refuses ${what}`, () => assert.throws(() => read(hex), InvalidDerError));
}
