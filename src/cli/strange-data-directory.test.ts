/** Whoever can write a data directory, or exchange it, would tell this user's programs what to trust, and end them. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { askControlPlane } from "../local/control-plane-client.ts";
import { DataDirectory } from "../local/data-directory.ts";
import { findMesh, MeshClient } from "../local/joining/mesh-client.ts";
import { identifyProcess } from "../runtime/process-identity.ts";
import { downCommand } from "./commands/down.ts";

const STRANGER = 1001;
const REFUSED = { code: "HAUBERK_DATA_DIRECTORY" };

let folder: string;
let around: string;
let data: DataDirectory;
let leftover: ChildProcess;
let servers: readonly Server[];
let heard: string[];

async function answerAt(path: string): Promise<Server> {
  const server = createServer((socket) => {
    heard.push(path);
    socket.on("error", () => {}).end('{"type":"written","texts":[]}\n');
  });
  server.listen(path);
  await once(server, "listening");
  return server;
}

async function writeState(socket: string): Promise<void> {
  const [own, left] = [process.pid, leftover.pid ?? 0].map(identifyProcess);
  const state = { format: 2, supervisor: own, cluster: "x", controlPlane: "x", socket };
  const processes = [{ title: "control plane", ...left }];
  await writeFile(data.meshState, JSON.stringify({ ...state, workloads: [], processes }));
}

async function start(): Promise<void> {
  heard = [];
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  around = join(folder, "around");
  data = new DataDirectory(join(around, ".hauberk"));
  await data.create();
  leftover = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
  await once(leftover, "spawn");
  const paths = [data.socket, data.controlPlaneSocket, join(folder, "other.sock")];
  servers = await Promise.all(paths.map(answerAt));
  await writeState(join(folder, "other.sock"));
}

async function stop(): Promise<void> {
  for (const server of servers) server.close();
  leftover.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
}

/** Each makes the data directory one that others could have a say in, and takes it back. */
const CHANGES: readonly {
  readonly what: string;
  readonly skip?: string | false;
  change(): Promise<void>;
  undo(): Promise<void>;
}[] = [
  {
    what: "it is open to others",
    change: () => chmod(data.path, 0o755),
    undo: () => chmod(data.path, 0o700),
  },
  {
    what: "others can write the folder around it",
    change: () => chmod(around, 0o777),
    undo: () => chmod(around, 0o755),
  },
  {
    what: "the folder around it is another user's",
    skip: process.getuid?.() === 0 ? false : "only root gives files to others",
    change: () => chown(around, STRANGER, STRANGER),
    undo: () => chown(around, 0, 0),
  },
  {
    what: "it is another user's",
    skip: process.getuid?.() === 0 ? false : "only root gives files to others",
    change: () => chown(data.path, STRANGER, STRANGER),
    undo: () => chown(data.path, 0, 0),
  },
];

describe("a data directory that is not this user's alone", () => {
  before(start);
  after(stop);

  for (const { what, skip = false, change, undo } of CHANGES) {
    test(`${what}: nothing in it is believed`, { skip }, async () => {
      await change();
      try {
        await assert.rejects(findMesh(data), REFUSED);
        await assert.rejects(MeshClient.connect(data), REFUSED);
        await assert.rejects(askControlPlane(data, { type: "metrics" }), REFUSED);
        await assert.rejects(
          downCommand({ data: data.path }, () => {}),
          REFUSED,
        );
        await assert.rejects(data.create(), REFUSED);
      } finally {
        await undo();
      }
      assert.deepEqual(heard, []);
      assert.equal(leftover.exitCode ?? leftover.signalCode, null);
    });
  }

  test("nor one behind a link that others can exchange", async () => {
    await mkdir(join(folder, "open"));
    await symlink(data.path, join(folder, "open", "link"));
    await chmod(join(folder, "open"), 0o777);
    const linked = new DataDirectory(join(folder, "open", "link"));
    await assert.rejects(MeshClient.connect(linked), REFUSED);
    assert.deepEqual(heard, []);
  });

  test("in one that is, the socket is where it belongs, whatever the state file says", async () => {
    const client = await MeshClient.connect(data);
    await client.ended;
    client.close();
    assert.deepEqual(heard, [data.socket]);
  });
});
