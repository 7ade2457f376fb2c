import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { askSidecar } from "./ask-sidecar.ts";

let folder: string;
const servers: Server[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(async () => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  await rm(folder, { recursive: true });
});

async function serve(name: string, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  const before_ = process.cwd();
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  process.chdir(join(path, "..")); // a socket's path may be longer than its address
  await new Promise<void>((resolve) => server.listen("admin.sock", resolve));
  process.chdir(before_);
  return path;
}

const echo: RequestListener = ({ method, url }, response) => {
  response.end(`${method} ${url}`);
};

test("it asks by GET, or as it is told", async () => {
  const socket = await serve("admin.sock", echo);
  assert.equal(await askSidecar(socket, { path: "/certs" }), "GET /certs");
  const change = { method: "POST", path: "/logging?level=debug" } as const;
  assert.equal(await askSidecar(socket, change), "POST /logging?level=debug");
});

test("a path longer than any socket's leads there too, and no descriptor stays open", {
  skip: process.platform !== "linux" && "Linux's alone",
}, async () => {
  const socket = await serve(`${"deeper/".repeat(30)}admin.sock`, echo);
  const open = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
  assert.equal(await askSidecar(socket, { path: "/certs" }), "GET /certs");
  const before_ = await open();
  for (let round = 0; round < 20; round++) await askSidecar(socket, { path: "/certs" });
  const missing = join(socket, "..", "none.sock");
  await assert.rejects(
    askSidecar(missing, { path: "/certs" }),
    /no sidecar answers at \S+none\.sock$/,
  );
  assert.ok((await open()) < before_ + 10);
});

test("a refusal, a stranger's file, silence and nobody are told apart", async () => {
  const refusing = await serve("refusing/admin.sock", (_, response) => {
    response.writeHead(405).end("ask with POST\n");
  });
  const silent = await serve("silent/admin.sock", () => {});
  const file = join(folder, "file");
  await writeFile(file, "");
  const cases: [path: string, problem: RegExp][] = [
    [refusing, /the sidecar refuses: ask with POST$/],
    [file, /is not a socket of this user$/],
    [silent, /^no sidecar answers at /],
    [join(folder, "nobody"), /^no sidecar answers at \S+nobody$/],
  ];
  for (const [path, problem] of cases) {
    const asked = askSidecar(path, { path: "/", patienceMs: 200 });
    await assert.rejects(asked, { code: "HAUBERK_NO_SIDECAR_ANSWER", message: problem });
  }
});
