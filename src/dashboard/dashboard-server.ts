/** Serves the page and its JSON views on loopback, to whoever was admitted, and only to be read. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../runtime/clock.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import { ListenError } from "../runtime/listen-error.ts";
import { Admissions } from "./admission.ts";
import type { MeshSource } from "./mesh-source.ts";
import { ObservedMesh } from "./observed-mesh.ts";
import { PAGE_HTML, PAGE_ICON } from "./page-html.ts";
import { PAGE_STYLE } from "./page-style.ts";

export interface DashboardOptions {
  readonly source: MeshSource;
  readonly clock: Clock;
  /** Of 127.0.0.1; 0: any that is free. */
  readonly port: number;
  /** What runs in the page: JavaScript. */
  readonly script: string;
}

export interface Dashboard {
  /** With the token that is good once: whoever opens it first may look. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const ADDRESS = "127.0.0.1";
const MAX_HEAD_BYTES = 8 * 1024;
const MAX_CONNECTIONS = 32;
const PATIENCE_MS = 10_000;
/** Nothing inline, nothing of others, no frames around it. */
const CONTENT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEADERS = {
  "content-security-policy": CONTENT_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Pages = ReadonlyMap<string, () => Answer | Promise<Answer>>;

/** @throws ListenError when the port is taken */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const server = createServer({
    maxHeaderSize: MAX_HEAD_BYTES,
    headersTimeout: PATIENCE_MS,
    requestTimeout: PATIENCE_MS,
    keepAliveTimeout: PATIENCE_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  const port = await listen(server, options.port);
  const admissions = new Admissions(port);
  const pages = pagesOf(new ObservedMesh(options.source, options.clock), options.script);
  server.on("request", (request, response) => {
    void answer(request, { admissions, pages }).then((found) => send(response, found));
  });
  return {
    url: `http://${ADDRESS}:${port}/?token=${admissions.token}`,
    port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  try {
    server.listen(port, ADDRESS);
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  } catch (cause) {
    throw new ListenError(`cannot listen on ${ADDRESS}:${port}`, { cause });
  }
}

function pagesOf(mesh: ObservedMesh, script: string): Pages {
  const fixed = (type: string, body: string) => (): Answer => ({ status: 200, type, body });
  const view = (read: () => Promise<unknown>) => async (): Promise<Answer> => json(await read());
  return new Map<string, () => Answer | Promise<Answer>>([
    ["/", fixed("text/html", PAGE_HTML)],
    ["/icon.svg", fixed("image/svg+xml", PAGE_ICON)],
    ["/page.css", fixed("text/css", PAGE_STYLE)],
    ["/page.js", fixed("text/javascript", script)],
    ["/api/graph", view(() => mesh.graph())],
    ["/api/workloads", view(() => mesh.workloads())],
    ["/api/denials", view(() => mesh.denials())],
  ]);
}

async function answer(
  request: IncomingMessage,
  { admissions, pages }: { readonly admissions: Admissions; readonly pages: Pages },
): Promise<Answer> {
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  const token = path === "/" ? new URLSearchParams(query).get("token") : null;
  const admission = admissions.judge(request.headers, token);
  if (admission.outcome === "refused") return plain(403, admission.problem);
  if (request.method !== "GET") return plain(405, "this is only to be read", { allow: "GET" });
  // Without the token in it the address can be shared and reloaded.
  if (admission.outcome === "entered")
    return plain(303, "", { location: "/", "set-cookie": admission.cookie });
  if (token !== null) return plain(303, "", { location: "/" });
  const page = pages.get(path);
  if (page === undefined) return plain(404, "there is no such page");
  try {
    return await page();
  } catch (error) {
    const problem =
      error instanceof HauberkError ? describeError(error) : "the mesh cannot be read";
    return json({ problem }, 503);
  }
}

function json(value: unknown, status = 200): Answer {
  return { status, type: "application/json", body: JSON.stringify(value) };
}

function plain(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, type: "text/plain", body: text === "" ? "" : `${text}\n`, headers };
}

function send(response: ServerResponse, { status, type, body, headers = {} }: Answer): void {
  response.writeHead(status, {
    ...HEADERS,
    "content-type": `${type}; charset=utf-8`,
    "content-length": Buffer.byteLength(body),
    // A body that nobody asked for is not read.
    ...(status === 405 && { connection: "close" }),
    ...headers,
  });
  response.end(body);
}
