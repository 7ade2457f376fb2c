/** What HTTP/1 lets strangers do to a server, done to a sidecar: its memory is bounded, and others are served meanwhile. */
import { type Abuse, testAbuse } from "../kit/abuse/abuse.ts";

const MIB = 1_048_576;
const ABUSE = { port: "http", connections: 100, most: 8 * MIB } as const;
const READS = { ...ABUSE, hearing: "reads" } as const;
const DEAF = { ...ABUSE, hearing: "deaf" } as const;

const HOST = "Host: api\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
const SINK = `POST /sink HTTP/1.1\r\n${HOST}${CHUNKED}`;

/** What comes first, and then the same again and again; so often if that is said. */
function said(first: string, then: string, count = Number.POSITIVE_INFINITY): Abuse["next"] {
  const [begin, more] = [Buffer.from(first), Buffer.from(then)];
  return (time) => {
    if (time === 0) return begin;
    return time <= count ? more : undefined;
  };
}

const ABUSES: readonly Abuse[] = [
  {
    ...READS,
    what: "a head of endless fields",
    next: said(`GET /get HTTP/1.1\r\n${HOST}`, `X-Name: ${"x".repeat(1_000)}\r\n`),
    becomes: "ended",
    mostMib: 60,
  },
  {
    ...READS,
    what: "a request line without end",
    next: said("GET /", "x".repeat(1_000)),
    becomes: "ended",
    mostMib: 60,
  },
  {
    ...READS,
    what: "a head that stays unfinished, 50 KiB of it",
    connections: 500,
    next: said(`GET /get HTTP/1.1\r\n${HOST}`, `X-Name: ${"x".repeat(500)}\r\n`, 98),
    becomes: "kept",
    mostMib: 120,
  },
  {
    ...READS,
    what: "a head that stays unfinished, 50 KiB of it",
    transport: "mutual TLS",
    connections: 100,
    next: said(`GET /get HTTP/1.1\r\n${HOST}`, `X-Name: ${"x".repeat(500)}\r\n`, 98),
    becomes: "kept",
    mostMib: 80,
  },
  {
    ...READS,
    what: "an extension of a chunk without end",
    next: said(`${SINK}1;a=`, "x".repeat(1_000)),
    becomes: "ended",
    mostMib: 60,
  },
  {
    ...READS,
    what: "trailers without end",
    next: said(`${SINK}0\r\n`, `X-Name: ${"x".repeat(1_000)}\r\n`),
    becomes: "ended",
    mostMib: 60,
  },
  {
    ...READS,
    what: "an upload in chunks of one octet to who does not read",
    connections: 20,
    next: said(SINK, "1\r\nx\r\n".repeat(1_000)),
    becomes: "kept",
    mostMib: 60,
  },
  {
    ...DEAF,
    what: "a large answer that nobody reads",
    next: said(`GET /large HTTP/1.1\r\n${HOST}\r\n`, "", 0),
    becomes: "kept",
    mostMib: 100,
  },
  {
    ...DEAF,
    what: "requests behind each other, whose answers nobody reads",
    connections: 20,
    next: said("", `GET /large HTTP/1.1\r\n${HOST}\r\n`.repeat(100)),
    becomes: "kept",
    mostMib: 80,
  },
];
for (const abuse of ABUSES) testAbuse(abuse);
