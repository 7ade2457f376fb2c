/** What changes a connection: pipelining, expectations, upgrades, tunnels. */
import { UPSTREAM_PATHS } from "../recording-upstream.ts";
import {
  CHUNKED,
  casesOf,
  chunk,
  get,
  HIDDEN,
  head,
  LAST_CHUNK,
  lengthOf,
  PAUSE,
  post,
  type Row,
  type SmugglingCase,
  STOWAWAY,
} from "../smuggling-case.ts";

const MUST_DIE = "HTTP/1.1 Must Die (2025)";
const H2C = "h2c smuggling (2020)";
const WEBSOCKET = "WebSocket smuggling (2019)";

const PIPELINED: readonly Row[] = [
  ["two", "RFC 9112 9.3.2", get("", "/one") + get("", "/two")],
  ["a forbidden one behind", "RFC 9112 9.3.2", get("", "/one") + HIDDEN],
  ["a forbidden one between", "RFC 9112 9.3.2", get("", "/one") + HIDDEN + get("", "/three")],
  ["a forbidden one first", "RFC 9112 9.3.2", HIDDEN + get("", "/two")],
  ["twenty", "CVE-2023-46137", Array.from({ length: 20 }, (_, at) => get("", `/${at}`)).join("")],
  [
    "twenty, every other one forbidden",
    "CVE-2023-46137",
    Array.from({ length: 10 }, (_, at) => get("", `/${at}`) + HIDDEN).join(""),
  ],
  ["three hundred", "QK-15", STOWAWAY.repeat(300)],
  [
    "bodies between",
    "RFC 9112 9.3.2",
    post(lengthOf("abc"), "abc") + post(CHUNKED, chunk("de") + LAST_CHUNK) + get(""),
  ],
  ["a body that is a request", "RFC 9112 9.3.2", post(lengthOf(HIDDEN), HIDDEN) + STOWAWAY],
  [
    "a chunk that is a request",
    "RFC 9112 9.3.2",
    post(CHUNKED, chunk(HIDDEN) + LAST_CHUNK) + STOWAWAY,
  ],
  ["a line end too many between", "RFC 9112 2.2", `${post(lengthOf("abc"), "abc")}\r\n${STOWAWAY}`],
  ["behind the last one", "RFC 9112 9.6", get("Connection: close\r\n") + HIDDEN],
  ["behind the last one, a stowaway", "RFC 9112 9.6", get("Connection: close\r\n") + STOWAWAY],
  [
    "behind the last one, its option among others",
    "RFC 9112 9.6",
    get("Connection: x, CLOSE ,keep-alive\r\n") + STOWAWAY,
  ],
  ["no requests behind one", "RFC 9112 9.3.2", `${get("")}\0\0\0\0${STOWAWAY}`],
  ["in single bytes", "RFC 9112 2.2", ...[...get("", "/b")].flatMap((byte) => [byte]), STOWAWAY],
  ["cut inside a line end", "RFC 9112 2.2", get("").slice(0, -3), PAUSE, `\n\r\n${STOWAWAY}`],
  ["a HEAD before another", "RFC 9110 9.3.2", `${head("HEAD /head")}\r\n${STOWAWAY}`],
  [
    "a HEAD with a body",
    "RFC 9110 9.3.2",
    `${head("HEAD /head", lengthOf(HIDDEN))}\r\n${HIDDEN}${STOWAWAY}`,
  ],
];

const expecting = (lines: string): string =>
  `${head("POST /post", `Expect: 100-continue\r\n${lines}`)}\r\n`;
const EXPECT: readonly Row[] = [
  ["the body comes later", "RFC 9110 10.1.1", expecting(lengthOf(HIDDEN)), PAUSE, HIDDEN],
  ["the body comes at once", "RFC 9110 10.1.1", expecting(lengthOf(HIDDEN)) + HIDDEN],
  ["chunks come later", "RFC 9110 10.1.1", expecting(CHUNKED), PAUSE, chunk(HIDDEN) + LAST_CHUNK],
  ["chunks come at once", "RFC 9110 10.1.1", expecting(CHUNKED) + chunk(HIDDEN) + LAST_CHUNK],
  ["the body never comes", MUST_DIE, expecting("Content-Length: 60\r\n"), PAUSE, STOWAWAY],
  [
    "forbidden, the body at once",
    MUST_DIE,
    `${head("POST /admin", `Expect: 100-continue\r\n${lengthOf(HIDDEN)}`)}\r\n${HIDDEN}`,
  ],
  [
    "forbidden, the body later",
    MUST_DIE,
    `${head("POST /admin", `Expect: 100-continue\r\n${lengthOf(STOWAWAY)}`)}\r\n`,
    PAUSE,
    STOWAWAY,
  ],
  [
    "forbidden, the body never",
    MUST_DIE,
    `${head("POST /admin", "Expect: 100-continue\r\nContent-Length: 9\r\n")}\r\n`,
    PAUSE,
    STOWAWAY,
  ],
  ["without a body", MUST_DIE, get("Expect: 100-continue\r\n") + STOWAWAY],
  [
    "of a GET with a length",
    MUST_DIE,
    `${head("GET /get", `Expect: 100-continue\r\n${lengthOf(HIDDEN)}`)}\r\n${HIDDEN}`,
  ],
  [
    "of a HEAD with a length",
    MUST_DIE,
    `${head("HEAD /head", `Expect: 100-continue\r\n${lengthOf(HIDDEN)}`)}\r\n${HIDDEN}`,
  ],
  [
    "misspelt",
    MUST_DIE,
    `${head("POST /post", `Expect: y 100-continue\r\n${lengthOf(HIDDEN)}`)}\r\n${HIDDEN}`,
  ],
  [
    "something else",
    "RFC 9110 10.1.1",
    `${head("POST /post", `Expect: x\r\n${lengthOf(HIDDEN)}`)}\r\n${HIDDEN}`,
  ],
  [
    "upper case",
    "RFC 9110 10.1.1",
    `${head("POST /post", `Expect: 100-CONTINUE\r\n${lengthOf(HIDDEN)}`)}\r\n${HIDDEN}`,
  ],
  [
    "twice",
    MUST_DIE,
    `${head("POST /post", `Expect: 100-continue\r\nExpect: 100-continue\r\n${lengthOf(HIDDEN)}`)}\r\n${HIDDEN}`,
  ],
  [
    "folded",
    MUST_DIE,
    `${head("POST /post", `Expect:\r\n 100-continue\r\n${lengthOf(HIDDEN)}`)}\r\n${HIDDEN}`,
  ],
  [
    "in HTTP/1.0",
    "RFC 9110 10.1.1",
    `POST /post HTTP/1.0\r\nHost: api:8080\r\nExpect: 100-continue\r\n${lengthOf(HIDDEN)}\r\n${HIDDEN}`,
  ],
  [
    "answered at the head",
    MUST_DIE,
    `${head(`POST ${UPSTREAM_PATHS.early}`, `Expect: 100-continue\r\n${lengthOf(STOWAWAY)}`)}\r\n`,
    PAUSE,
    STOWAWAY,
  ],
  [
    "answered at the head, the body at once",
    MUST_DIE,
    `${head(`POST ${UPSTREAM_PATHS.early}`, `Expect: 100-continue\r\n${lengthOf(HIDDEN)}`)}\r\n${HIDDEN}`,
  ],
];

const upgrade = (to: string, target: string = UPSTREAM_PATHS.switches, more: string = ""): string =>
  get(`Connection: Upgrade${more}\r\nUpgrade: ${to}\r\n`, target);
const KEY = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
const SETTINGS = "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
const UPGRADES: readonly Row[] = [
  [
    "to a WebSocket",
    WEBSOCKET,
    get(`Connection: Upgrade\r\nUpgrade: websocket\r\n${KEY}`, UPSTREAM_PATHS.switches),
    PAUSE,
    HIDDEN,
  ],
  [
    "to a WebSocket that is not granted",
    WEBSOCKET,
    get(`Connection: Upgrade\r\nUpgrade: websocket\r\n${KEY}`),
    PAUSE,
    HIDDEN,
  ],
  [
    "to a WebSocket of a wrong version",
    WEBSOCKET,
    get("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\n"),
    PAUSE,
    HIDDEN,
  ],
  [
    "to a WebSocket, the next request at once",
    "CVE-2024-23326",
    get(`Connection: Upgrade\r\nUpgrade: websocket\r\n${KEY}`) + HIDDEN,
  ],
  ["granted, the next request at once", "CVE-2024-23326", upgrade("websocket") + HIDDEN],
  [
    "of a POST with a body",
    WEBSOCKET,
    post(`Connection: Upgrade\r\nUpgrade: websocket\r\n${lengthOf(HIDDEN)}`, HIDDEN),
    PAUSE,
    STOWAWAY,
  ],
  [
    "of a GET with a length",
    WEBSOCKET,
    get(`Connection: Upgrade\r\nUpgrade: websocket\r\n${lengthOf(HIDDEN)}`) + HIDDEN,
  ],
  [
    "of a GET with chunks",
    WEBSOCKET,
    get(`Connection: Upgrade\r\nUpgrade: websocket\r\n${CHUNKED}`) + chunk(HIDDEN) + LAST_CHUNK,
  ],
  ["of what is forbidden", WEBSOCKET, upgrade("websocket", "/admin"), PAUSE, STOWAWAY],
  [
    "to h2c",
    H2C,
    get(`Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n${SETTINGS}`),
    PAUSE,
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  ],
  [
    "to h2c, settings not nominated",
    H2C,
    get(`Connection: Upgrade\r\nUpgrade: h2c\r\n${SETTINGS}`),
    PAUSE,
    HIDDEN,
  ],
  [
    "to h2c that is granted",
    H2C,
    get(
      `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n${SETTINGS}`,
      UPSTREAM_PATHS.switches,
    ),
    PAUSE,
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  ],
  ["to HTTP/1.1", "CVE-2019-17567", upgrade("HTTP/1.1", "/get") + HIDDEN],
  ["to TLS", "RFC 2817", upgrade("TLS/1.2", "/get") + HIDDEN],
  ["to several", "RFC 9110 7.8", upgrade("h2c, websocket", "/get") + HIDDEN],
  [
    "not nominated",
    "RFC 9110 7.8",
    get("Upgrade: websocket\r\n", UPSTREAM_PATHS.switches) + HIDDEN,
  ],
  ["nominated, but absent", "RFC 9110 7.8", get("Connection: Upgrade\r\n") + HIDDEN],
  [
    "in HTTP/1.0",
    "RFC 9110 7.8",
    `GET ${UPSTREAM_PATHS.switches} HTTP/1.0\r\nHost: api:8080\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${HIDDEN}`,
  ],
];

const tunnel = (target: string, lines: string = ""): string =>
  `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${lines}\r\n`;
const TUNNELS: readonly Row[] = [
  ["to the service itself", "QK-11", tunnel("api:8080"), PAUSE, HIDDEN],
  ["the tunnel's bytes at once", "CVE-2025-64763", tunnel("api:8080") + HIDDEN],
  ["to another host", "QK-11", tunnel("other:443"), PAUSE, HIDDEN],
  ["to the machine itself", "QK-11", tunnel("127.0.0.1:15000"), PAUSE, HIDDEN],
  ["without a port", "RFC 9110 9.3.6", tunnel("api") + HIDDEN],
  ["to a path", "QK-11", `CONNECT /admin HTTP/1.1\r\nHost: api:8080\r\n\r\n${HIDDEN}`],
  [
    "to a whole URL",
    "RFC 9110 9.3.6",
    `CONNECT http://api:8080/admin HTTP/1.1\r\nHost: api:8080\r\n\r\n${HIDDEN}`,
  ],
  ["with a length", "RFC 9110 9.3.6", tunnel("api:8080", lengthOf(HIDDEN)) + HIDDEN],
  ["with chunks", "RFC 9110 9.3.6", tunnel("api:8080", CHUNKED) + chunk(HIDDEN) + LAST_CHUNK],
  ["another Host", "QK-6", `CONNECT api:8080 HTTP/1.1\r\nHost: other\r\n\r\n${HIDDEN}`],
  ["behind another request", "RFC 9112 9.3.2", get("") + tunnel("api:8080") + HIDDEN],
  [
    "an authority for a GET",
    "RFC 9112 3.2.3",
    `GET api:8080 HTTP/1.1\r\nHost: api:8080\r\n\r\n${HIDDEN}`,
  ],
];

export const CONNECTIONS: readonly SmugglingCase[] = [
  ...casesOf("pipelining", PIPELINED),
  ...casesOf("Expect", EXPECT),
  ...casesOf("Upgrade", UPGRADES),
  ...casesOf("CONNECT", TUNNELS),
];
