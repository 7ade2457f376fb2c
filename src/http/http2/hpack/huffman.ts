/**
 * The Huffman code of HPACK (RFC 7541 appendix B). The code is canonical: among codes of one length the symbols stand
 * in order, so the lengths alone say everything. Decoding takes four bits a step, through a table made at start.
 */

/** Code lengths of the octets 0 to 255 and of the end of string, 16 a line. */
const LENGTHS: readonly number[] = [
  "13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28",
  "28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28",
  "6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6",
  "5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10",
  "13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7",
  "7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6",
  "15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5",
  "6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28",
  "20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23",
  "24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24",
  "22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23",
  "21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23",
  "26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25",
  "19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27",
  "20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23",
  "26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26",
  "30",
].flatMap((line) => line.split(" ").map(Number));

const END_OF_STRING = 256;
const LONGEST = 30;
/** Inner nodes of a binary tree with 257 leaves. */
const NODES = 256;

/** A step: the next node in the low eight bits, an octet in the next eight, and what the step means. */
const EMITS = 1 << 16;
/** The text may end here: only the first bits of the end of string, fewer than eight, have come since the last octet. */
const MAY_END = 1 << 17;
const IMPOSSIBLE = 1 << 18;

/** `node * 16 + four bits` to a step. */
const steps: Uint32Array = buildSteps();

/** Where decoded text goes: at `end`, and not beyond the buffer. */
export interface TextArena {
  readonly bytes: Uint8Array;
  readonly end: number;
}

/**
 * Decodes the octets from `from` to before `to`. What finds no room in the arena is only counted.
 *
 * @returns the length of the decoded text; -1 when the padding is longer than seven bits or not all ones, or the end of
 *   string stands in the text (RFC 7541 section 5.2)
 */
export function decodeHuffman(
  source: Uint8Array,
  from: number,
  to: number,
  { bytes: target, end: at }: TextArena,
): number {
  const room = target.length;
  let place = at;
  let step = MAY_END;
  for (let index = from; index < to; index++) {
    const octet = source[index] ?? 0;
    step = steps[((step & 0xff) << 4) | (octet >> 4)] ?? IMPOSSIBLE;
    if (step >= EMITS) {
      if (step >= IMPOSSIBLE) return -1;
      if ((step & EMITS) !== 0) {
        if (place < room) target[place] = (step >> 8) & 0xff;
        place++;
      }
    }
    step = steps[((step & 0xff) << 4) | (octet & 15)] ?? IMPOSSIBLE;
    if (step >= EMITS) {
      if (step >= IMPOSSIBLE) return -1;
      if ((step & EMITS) !== 0) {
        if (place < room) target[place] = (step >> 8) & 0xff;
        place++;
      }
    }
  }
  return (step & MAY_END) === 0 ? -1 : place - at;
}

/** The code of each symbol, right-aligned: as long as `LENGTHS` says. */
function canonicalCodes(): number[] {
  const codes: number[] = [];
  let code = 0;
  for (let length = 1; length <= LONGEST; length++) {
    for (const [symbol, own] of LENGTHS.entries()) if (own === length) codes[symbol] = code++;
    code *= 2;
  }
  return codes;
}

/** A node's two ways on: another node, or ~symbol. */
type Branch = [number, number];

function buildTree(): Branch[] {
  const tree: Branch[] = [[0, 0]];
  for (const [symbol, code] of canonicalCodes().entries()) {
    let node = 0;
    for (let bit = (LENGTHS[symbol] ?? 0) - 1; bit >= 0; bit--) {
      const way = (code >>> bit) & 1 ? 1 : 0;
      const branch = tree[node] ?? [0, 0];
      if (bit === 0) branch[way] = ~symbol;
      else if (branch[way] === 0) branch[way] = tree.push([0, 0]) - 1;
      node = branch[way];
    }
  }
  return tree;
}

function buildSteps(): Uint32Array {
  const tree = buildTree();
  const mayEnd = paddingNodes(tree);
  const table = new Uint32Array(NODES * 16);
  for (let node = 0; node < NODES; node++) {
    for (let bits = 0; bits < 16; bits++) table[node * 16 + bits] = walk(tree, mayEnd, node, bits);
  }
  return table;
}

function walk(
  tree: readonly Branch[],
  mayEnd: ReadonlySet<number>,
  start: number,
  bits: number,
): number {
  let node = start;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = tree[node]?.[(bits >> bit) & 1 ? 1 : 0] ?? 0;
    if (next === ~END_OF_STRING) return IMPOSSIBLE;
    if (next < 0) emitted = EMITS | (~next << 8);
    node = next < 0 ? 0 : next;
  }
  return node | emitted | (mayEnd.has(node) ? MAY_END : 0);
}

/** The root, and the seven nodes along the ones. */
function paddingNodes(tree: readonly Branch[]): Set<number> {
  const nodes = new Set([0]);
  let node = 0;
  while (nodes.size < 8) {
    node = tree[node]?.[1] ?? 0;
    nodes.add(node);
  }
  return nodes;
}
