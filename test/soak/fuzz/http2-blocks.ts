/** Heads and trailers in HPACK, as encoders write them and as none should: every representation, and what breaks it. */
import type { Dice } from "../../kit/dice.ts";
import { integer } from "../../kit/http2-frames.ts";

type Text = readonly [name: string, value: string];

const METHODS = [
  "GET",
  "POST",
  "OPTIONS",
  "HEAD",
  "CONNECT",
  "PUT",
  "FETCH",
  "get",
  "",
  "G T",
  "TRACE",
];
const SCHEMES = ["http", "https", "HTTP", "ftp", "", "h tp"];
const PATHS = [
  "/",
  "/a?b=c",
  "*",
  "",
  "a",
  "/ b",
  "/\x7f",
  "/\xfc",
  "http://x/",
  "/#",
  "/%00",
  "//",
];
const AUTHORITIES = [
  "api",
  "api:8080",
  "[::1]:80",
  "",
  "a b",
  "u@api",
  "api:99999",
  "a/b",
  "API",
  "x\xfc",
];
const STATUSES = ["200", "204", "103", "101", "99", "600", "2x0", "0200", ""];
const NAMES = [
  ...["x", "x-name", "cookie", "accept", "te", "content-length", "host", "trailer", "expect"],
  ...["connection", "transfer-encoding", "keep-alive", "upgrade", "proxy-connection"],
  ...["X-Upper", "a b", "", "x\x00", ":x", ":protocol", ":path", ":status", "x:y", "\xfc"],
];
const VALUES = [
  ...["1", "0", "trailers", "gzip", "api", "api:8080", "5", "05", "+5", "5, 5", "chunked", "close"],
  ...[
    "",
    " a",
    "a ",
    "a\tb",
    "a\x00b",
    "a\r\nb: c",
    "\x7f",
    "\xfc\xff",
    "x".repeat(200),
    "a".repeat(5_000),
  ],
];
/** RFC 7541 appendix C, and codes that do not end as they must. */
const HUFFMAN = [
  ...["f1e3c2e5f23a6ba0ab90f4ff", "a8eb10649cbf", "25a849e95ba97d7f", "25a849e95bb8e8b4bf", "6402"],
  ...[
    "aec3771a4b",
    "9d29ad171863c78f0b97c8e9ae82ae43d3",
    "ff",
    "ffffffff",
    "fffffffa",
    "00",
    "1c64ff",
  ],
].map((text) => Buffer.from(text, "hex"));
/** Of the static table: name only, and with a value. */
const STATIC_NAMES = [1, 2, 4, 6, 8, 15, 16, 19, 28, 32, 38, 57, 58, 61];

/** How many octets in all, at most, of one block: a peer sends no more without a reason. */
const ODDITY = 0.04;

/** A request's head, mostly a good one. */
export function requestBlock(dice: Dice): Buffer {
  const method = oneOf(dice, METHODS, 2);
  const line: Text[] = [
    [":method", method],
    [":scheme", oneOf(dice, SCHEMES, 2)],
    [":authority", oneOf(dice, AUTHORITIES, 3)],
    [":path", oneOf(dice, PATHS, 2)],
  ];
  if (method === "CONNECT" && dice.chance(0.8)) line.splice(1, 3, [":authority", "api:80"]);
  if (dice.chance(ODDITY)) line.splice(dice.between(0, line.length - 1), 1);
  if (dice.chance(ODDITY)) line.push(dice.pick(line));
  return whole(dice, [...line, ...fields(dice, 4)]);
}

export function responseBlock(dice: Dice): Buffer {
  return whole(dice, [[":status", oneOf(dice, STATUSES, 3)], ...fields(dice, 4)]);
}

export function trailersBlock(dice: Dice): Buffer {
  return whole(dice, fields(dice, 3));
}

/** The first `good` of them mostly. */
function oneOf(dice: Dice, texts: readonly string[], good: number): string {
  return dice.pick(dice.chance(ODDITY) ? texts : texts.slice(0, good));
}

function fields(dice: Dice, most: number): Text[] {
  return dice.several(0, most, () => [oneOf(dice, NAMES, 4), oneOf(dice, VALUES, 4)] as const);
}

function whole(dice: Dice, texts: readonly Text[]): Buffer {
  const ordered = dice.chance(ODDITY) ? dice.shuffled(texts) : texts;
  const parts = ordered.map((text) => represented(dice, text));
  if (dice.chance(0.1)) parts.splice(dice.between(0, parts.length), 0, oddPiece(dice));
  if (dice.chance(0.1)) parts.unshift(sizeUpdate(dice));
  return Buffer.concat(parts);
}

const STATIC: ReadonlyMap<string, number> = new Map([
  [":method GET", 2],
  [":method POST", 3],
  [":path /", 4],
  [":scheme http", 6],
  [":scheme https", 7],
  [":status 200", 8],
]);
const STATIC_NAME: ReadonlyMap<string, number> = new Map([
  [":authority", 1],
  [":method", 2],
  [":path", 4],
  [":scheme", 6],
  [":status", 8],
  ["content-length", 28],
  ["cookie", 32],
  ["host", 38],
]);

function represented(dice: Dice, [name, value]: Text): Buffer {
  const index = STATIC.get(`${name} ${value}`);
  if (index !== undefined && dice.chance(0.6)) return integer(0x7f, 0x80, index);
  const [mask, flags] = dice.pick([
    [0x3f, 0x40],
    [0x0f, 0],
    [0x0f, 0x10],
  ] as const);
  const named = STATIC_NAME.get(name);
  if (named !== undefined && dice.chance(0.6)) {
    return Buffer.concat([integer(mask, flags, named), plain(value)]);
  }
  return Buffer.concat([Buffer.from([flags]), plain(name), plain(value)]);
}

function plain(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([integer(0x7f, 0, bytes.length), bytes]);
}

/** References to what may or may not be in the tables, Huffman codes, and numbers that end in the midst. */
function oddPiece(dice: Dice): Buffer {
  const huffman = (): Buffer => {
    const code = dice.pick(HUFFMAN);
    return Buffer.concat([integer(0x7f, 0x80, code.length), code]);
  };
  const makers = [
    () => integer(0x7f, 0x80, dice.between(62, 70)),
    () => integer(0x7f, 0x80, dice.between(0, 130)),
    () => integer(0x7f, 0x80, dice.pick(STATIC_NAMES)),
    () => Buffer.concat([integer(0x3f, 0x40, dice.pick([...STATIC_NAMES, 62, 63])), huffman()]),
    () => Buffer.concat([Buffer.from([0x40]), huffman(), huffman()]),
    () => Buffer.concat([Buffer.from([0x10]), plain("x"), huffman()]),
    () => Buffer.from("ffffffffffff7f", "hex"),
    () => Buffer.from("7f80808080808080808001", "hex"),
    () => Buffer.from([0x40, 0x7f]),
    () => sizeUpdate(dice),
  ];
  return dice.pick(makers)();
}

function sizeUpdate(dice: Dice): Buffer {
  return integer(0x1f, 0x20, dice.pick([0, 100, 4_096, 4_096, 4_097, 1_000_000]));
}
