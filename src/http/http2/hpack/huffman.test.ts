import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeHuffman } from "./huffman.ts";

function decode(hex: string): string | undefined {
  const source = Buffer.from(hex.replaceAll(" ", ""), "hex");
  const bytes = Buffer.alloc(100);
  const length = decodeHuffman(source, 0, source.length, { bytes, end: 0 });
  return length < 0 ? undefined : bytes.toString("latin1", 0, length);
}

const texts: [hex: string, text: string][] = [
  ["f1e3 c2e5 f23a 6ba0 ab90 f4ff", "www.example.com"], // RFC 7541 C.4.1
  ["a8eb 1064 9cbf", "no-cache"], // C.4.2
  ["25a8 49e9 5ba9 7d7f", "custom-key"], // C.4.3
  ["25a8 49e9 5bb8 e8b4 bf", "custom-value"],
  ["6402", "302"], // C.6.1
  ["aec3 771a 4b", "private"],
  ["d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff", "Mon, 21 Oct 2013 20:13:21 GMT"],
  ["9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3", "https://www.example.com"],
  ["640e ff", "307"], // C.6.2
  ["9bd9 ab", "gzip"], // C.6.3
  ["", ""],
];
for (const [hex, text] of texts) {
  test(`RFC 7541 appendix C: ${hex} is "${text}"`, () => assert.equal(decode(hex), text));
}

const refused: [why: string, hex: string][] = [
  ["the end of string", "ffff ffff"],
  ["the end of string behind a text", "1fff ffff ff"],
  ["padding of eight bits", "1f ff"], // "a" is 00011
  ["padding of only ones, eight of them", "ff"],
  ["padding that is not all ones", "18"],
  ["padding of zeros", "00"],
  ["a code that is cut off", "ffff"],
];
for (const [why, hex] of refused) {
  test(`RFC 7541 section 5.2: refuses ${why}`, () => assert.equal(decode(hex), undefined));
}

test("padding of up to seven ones is none", () => assert.equal(decode("1f"), "a"));

test("what finds no room is counted, and nothing is written beyond", () => {
  const source = Buffer.from("f1e3c2e5f23a6ba0ab90f4ff", "hex");
  const bytes = Buffer.alloc(4);
  assert.equal(decodeHuffman(source, 0, source.length, { bytes, end: 1 }), 15);
  assert.equal(bytes.toString("latin1", 1), "www");
});
