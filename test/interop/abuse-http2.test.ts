/** What HTTP/2 lets strangers do to a server, done to a sidecar: its memory is bounded, and others are served meanwhile. */

import { FLAG, FRAME } from "../../src/http/http2/frame.ts";
import { SETTING } from "../../src/http/http2/peer-settings.ts";
import { type Abuse, testAbuse } from "../kit/abuse/abuse.ts";
import {
  block,
  data,
  type Field,
  frame,
  headers,
  integer,
  opening,
  ping,
  reset,
  settings,
  windowUpdate,
} from "../kit/http2-frames.ts";

const request = (method: string, path: string): readonly Field[] => [
  [":method", method],
  [":scheme", "http"],
  [":authority", "api"],
  [":path", path],
];
const GET = request("GET", "/get");
const LARGE = request("GET", "/large");
const SINK = request("POST", "/sink");
const id = (time: number): number => 2 * time - 1;

const MIB = 1_048_576;
const ABUSE = {
  port: "http2",
  connections: 5,
  hearing: "reads",
  most: 8 * MIB,
  becomes: "ended",
} as const;

/** The opening comes first, and `time` from 1 on. */
function after(first: Buffer, next: (time: number) => Buffer | undefined): Abuse["next"] {
  return (time) => (time === 0 ? Buffer.concat([opening("client"), first]) : next(time));
}

const NOTHING = Buffer.alloc(0);
const times = (count: number, bytes: Buffer): Buffer => Buffer.concat(Array(count).fill(bytes));
const hundred = (bytes: Buffer) => (): Buffer => times(100, bytes);
const CLOSED_WINDOW = settings([SETTING.INITIAL_WINDOW_SIZE, 0]);
/** A name and value of 4,000 octets that goes into the table, and then 12,000 references to it. */
const BOMB = Buffer.concat([
  block(...GET),
  Buffer.from("400162", "hex"),
  integer(0x7f, 0, 4_000),
  Buffer.alloc(4_000, "v"),
  Buffer.alloc(12_000, 0xbe),
]);
const WHOLE = FLAG.END_HEADERS | FLAG.END_STREAM;

const ABUSES: readonly Abuse[] = [
  {
    ...ABUSE,
    what: "requests that are reset at once (CVE-2023-44487)",
    next: after(NOTHING, (time) => Buffer.concat([headers(id(time), GET), reset(id(time), 8)])),
    mostMib: 80,
  },
  {
    ...ABUSE,
    what: "requests that are reset at once (CVE-2023-44487)",
    transport: "mutual TLS",
    next: after(NOTHING, (time) => Buffer.concat([headers(id(time), GET), reset(id(time), 8)])),
    mostMib: 80,
  },
  {
    ...ABUSE,
    what: "requests that make us reset them (CVE-2025-8671)",
    next: after(NOTHING, (time) =>
      Buffer.concat([headers(id(time), SINK, "more"), windowUpdate(id(time), 0)]),
    ),
    mostMib: 80,
  },
  {
    ...ABUSE,
    what: "a head of endless CONTINUATION (CVE-2024-27316)",
    connections: 100,
    next: after(frame(FRAME.HEADERS, 0, 1, block(...GET)), () =>
      frame(FRAME.CONTINUATION, 0, 1, Buffer.alloc(4_000)),
    ),
    mostMib: 80,
  },
  {
    ...ABUSE,
    what: "a head that stays unfinished",
    connections: 200,
    next: after(frame(FRAME.HEADERS, 0, 1, block(...GET)), (time) =>
      time > 3 ? undefined : frame(FRAME.CONTINUATION, 0, 1, Buffer.alloc(16_000)),
    ),
    becomes: "kept",
    mostMib: 80,
  },
  {
    ...ABUSE,
    what: "SETTINGS whose acknowledgements nobody reads (CVE-2019-9515)",
    hearing: "deaf",
    next: after(NOTHING, hundred(settings())),
    mostMib: 60,
  },
  {
    ...ABUSE,
    what: "PING whose answers nobody reads (CVE-2019-9512)",
    hearing: "deaf",
    next: after(NOTHING, hundred(ping())),
    mostMib: 60,
  },
  {
    ...ABUSE,
    what: "empty DATA (CVE-2019-9518)",
    next: after(headers(1, SINK, "more"), hundred(data(1, ""))),
    mostMib: 60,
  },
  {
    ...ABUSE,
    what: "WINDOW_UPDATE without end",
    next: after(headers(1, SINK, "more"), hundred(windowUpdate(1, 1))),
    mostMib: 60,
  },
  {
    ...ABUSE,
    what: "heads that refer to one large field thousands of times (CVE-2016-1544)",
    next: after(NOTHING, (time) => frame(FRAME.HEADERS, WHOLE, id(time), BOMB)),
    becomes: "kept",
    mostMib: 80,
  },
  {
    ...ABUSE,
    what: "300 large answers to a window of 0 (CVE-2019-9517)",
    connections: 4,
    next: after(CLOSED_WINDOW, (time) => (time > 300 ? undefined : headers(id(time), LARGE))),
    becomes: "kept",
    mostMib: 500,
  },
  {
    ...ABUSE,
    what: "100 large answers of HTTP/1 to a window of 0",
    port: "http",
    connections: 4,
    next: after(CLOSED_WINDOW, (time) => (time > 100 ? undefined : headers(id(time), LARGE))),
    becomes: "kept",
    mostMib: 500,
  },
  {
    ...ABUSE,
    what: "an upload of single octets to who does not read (CVE-2019-9511)",
    connections: 4,
    next: after(headers(1, SINK, "more"), (time) =>
      time > 260 ? undefined : times(1_000, data(1, "x")),
    ),
    becomes: "kept",
    mostMib: 80,
  },
];
for (const abuse of ABUSES) testAbuse(abuse);
