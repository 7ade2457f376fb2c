/** DER as a tree in which anything can go wrong: types, lengths, contents, order, number and nesting of elements. */
import { readChildren, readDer } from "../../src/identity/der.ts";
import type { Dice } from "./dice.ts";

const CONSTRUCTED = 0x20;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;

export interface DerNode {
  tag: number;
  /** Of a primitive element. */
  contents: Buffer;
  /** Of a constructed one, and of a string that holds DER itself. */
  children: DerNode[] | undefined;
  /** How its length is written; "shortest" is the only right way. */
  length: "shortest" | "long" | "indefinite" | "longer" | "shorter";
}

/** @throws InvalidDerError */
export function parseTree(der: Buffer): DerNode {
  const { tag, contents } = readDer(der);
  const length = "shortest";
  if ((tag & CONSTRUCTED) !== 0) {
    const children = readChildren({ tag, contents, encoded: der }, tag);
    return { tag, contents, length, children: children.map(({ encoded }) => parseTree(encoded)) };
  }
  return { tag, contents, length, children: innerTree(tag, contents) };
}

export function writeTree(node: DerNode): Buffer {
  const contents = contentsOf(node);
  return Buffer.concat([Buffer.of(node.tag), lengthOf(node, contents.length), contents]);
}

/** Changes one to three things below `root`, in place. */
export function mutate(root: DerNode, dice: Dice): void {
  for (let left = dice.between(1, 3); left > 0; left--) {
    const places = placesIn(root);
    if (places.length > 0) dice.pick(CHANGES)(dice.pick(places), dice);
  }
}

interface Place {
  readonly node: DerNode;
  readonly siblings: DerNode[];
}

function placesIn(node: DerNode): Place[] {
  const siblings = node.children ?? [];
  return siblings.flatMap((child) => [{ node: child, siblings }, ...placesIn(child)]);
}

const primitive = (tag: number, ...contents: readonly number[]): DerNode => ({
  tag,
  contents: Buffer.from(contents),
  children: undefined,
  length: "shortest",
});

/** Elements that do not belong where they are put, and some that are malformed. */
const STRANGERS: readonly (() => DerNode)[] = [
  () => primitive(0x05),
  () => primitive(0x05, 0),
  () => primitive(0x01, 0xff),
  () => primitive(0x01, 0x01),
  () => primitive(INTEGER, 0x80),
  () => primitive(INTEGER),
  () => primitive(0x0c, 0xff, 0xfe),
  () => primitive(0x13, 0x40),
  () => primitive(0x06, 0x80, 0x01),
  () => primitive(0x06, 0x55, 0x1d),
  () => primitive(0x00),
  () => primitive(0x09, 0x00),
  () => primitive(0x1e, 0x00),
  () => ({ ...primitive(0x30), children: [] }),
  () => ({ ...primitive(0x31), children: [] }),
  () => ({ ...primitive(0xa0), children: [primitive(0x05)] }),
];
const BODIES = ["", "\0", ",", "é", "spiffe://", "*", "a".repeat(300)];
const INTEGERS = [[], [0], [0, 0], [0xff, 0xff], [0x80], [0, 0x80], [1]];
const LENGTHS = ["long", "indefinite", "longer", "shorter"] as const;

type Change = (place: Place, dice: Dice) => void;

const CHANGES: readonly Change[] = [
  ({ node }, dice) => {
    const bytes = Buffer.from(contentsOf(node));
    if (bytes.length === 0) return;
    const at = dice.between(0, bytes.length - 1);
    bytes[at] = (bytes[at] ?? 0) ^ dice.between(1, 255);
    setContents(node, bytes);
  },
  ({ node }, dice) => {
    node.tag ^= 1 << dice.between(0, 7);
  },
  ({ node, siblings }) => void siblings.splice(siblings.indexOf(node), 1),
  ({ node, siblings }) => void siblings.splice(siblings.indexOf(node), 0, copyOf(node)),
  ({ siblings }, dice) => void siblings.splice(0, siblings.length, ...dice.shuffled(siblings)),
  ({ siblings }, dice) =>
    void siblings.splice(dice.between(0, siblings.length), 0, dice.pick(STRANGERS)()),
  ({ node }, dice) => {
    node.length = dice.pick(LENGTHS);
  },
  ({ node }, dice) => {
    if (node.children === undefined) setContents(node, Buffer.from(dice.pick(BODIES)));
  },
  ({ node }, dice) => {
    if (node.tag === INTEGER) setContents(node, Buffer.from(dice.pick(INTEGERS)));
  },
  ({ node }, dice) => {
    const bytes = contentsOf(node);
    setContents(node, bytes.subarray(0, dice.between(0, bytes.length)));
  },
  ({ node }, dice) => {
    for (let depth = dice.between(1, 40); depth > 0; depth--) {
      const inner = { ...node };
      Object.assign(node, { ...primitive(0x30), children: [inner] });
    }
  },
];

function setContents(node: DerNode, contents: Buffer): void {
  node.contents = contents;
  node.children = undefined;
}

function copyOf(node: DerNode): DerNode {
  return { ...node, children: node.children?.map(copyOf) };
}

/** A string that holds DER, as extensions and keys do, is a place for changes too. */
function innerTree(tag: number, contents: Buffer): DerNode[] | undefined {
  const inner = tag === BIT_STRING ? contents.subarray(1) : contents;
  if (tag !== OCTET_STRING && !(tag === BIT_STRING && contents[0] === 0)) return undefined;
  try {
    return [parseTree(inner)];
  } catch {
    return undefined;
  }
}

function contentsOf(node: DerNode): Buffer {
  if (node.children === undefined) return node.contents;
  const inner = Buffer.concat(node.children.map(writeTree));
  return node.tag === BIT_STRING ? Buffer.concat([Buffer.of(0), inner]) : inner;
}

function lengthOf({ length }: DerNode, size: number): Buffer {
  if (length === "indefinite") return Buffer.of(0x80);
  const told = Math.max(0, length === "longer" ? size + 1 : length === "shorter" ? size - 1 : size);
  if (length === "long") return Buffer.of(0x83, told >> 16, (told >> 8) & 0xff, told & 0xff);
  if (told < 0x80) return Buffer.of(told);
  if (told < 0x100) return Buffer.of(0x81, told);
  return Buffer.of(0x82, told >> 8, told & 0xff);
}
