/**
 * Makes the attempts of `examples/production/programs/attempts.js` where a test wants them: in pods of a mesh, on the host
 * as the mesh's user, and, where they must succeed, as root of namespaces of its own.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { text as readText } from "node:stream/consumers";
import type { Attempt } from "../../src/cli/demo/attack-attempt.ts";
import { giveOrder, type Outcome } from "../../src/cli/demo/order-client.ts";
import { eventually } from "./eventually.ts";
import type { MeshInNamespaces } from "./mesh-in-namespaces.ts";
import { createThrowawayAuthority } from "./throwaway-authority.ts";

const isRoot = process.getuid?.() === 0;
/** The mesh's user, and the way into the network of one of its pods. */
const AS_USER = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] : [];
const ENTER = isRoot ? ["--net"] : ["--user", "--preserve-credentials", "--net"];

export type Try = Pick<Attempt, "technique" | "aim">;
export type Place = "frontend" | "compromised" | "host" | "namespaces";

const OWN_NAMESPACES =
  "unshare --user --map-root-user --net --mount --ipc --pid --fork --kill-child --mount-proc --";
/** An interface like a pod's, a server to call and to attack, a covered folder, another network to enter. */
const PREPARE = `set -e
ip link set lo up; ip link add eth0 type veth peer name other; ip link set eth0 up
mount -t tmpfs view /mnt; mount -t tmpfs cover "$COVERED"
"$NODE" -e "$SERVER" & echo $! > /mnt/server
unshare --net sleep 60 &
while [ ! -e /mnt/listening ]; do sleep 0.05; done
exec "$NODE" -e "$ATTEMPT"`;
const SERVER = `const answer = (socket) => {
  socket.on("error", () => socket.destroy());
  socket.once("data", () => socket.end("well"));
};
const { CERT: cert, KEY: key } = process.env;
require("net").createServer(answer).listen(7000, "127.0.0.1", () =>
  require("net").createServer(answer).listen("/mnt/socket", () =>
    require("tls").createServer({ cert, key }, answer).listen(7443, "127.0.0.1", () =>
      require("fs").writeFileSync("/mnt/listening", ""))));`;
const ATTEMPT = `const { existsSync, readFileSync } = require("fs");
const server = existsSync("/mnt/server") ? readFileSync("/mnt/server", "utf8").trim() : "0";
const order = JSON.parse(process.env.ORDER.replaceAll('"SERVER"', server));
import(process.env.ATTEMPTS).then(async ({ makeAttempt }) => {
  console.log(JSON.stringify(await makeAttempt(order)));
  process.exit();
});`;
/** From a Unix socket, which every network sees, to a port of this one's loopback. */
const RELAY = `const { connect, createServer } = require("net");
createServer((from) => {
  const to = connect(Number(process.argv[2]), "127.0.0.1");
  for (const one of [from, to]) one.on("error", () => { from.destroy(); to.destroy(); });
  from.pipe(to).pipe(from);
}).listen(process.argv[1]);`;

export class Intruder {
  readonly #mesh: MeshInNamespaces;
  readonly #relays: ChildProcess[] = [];
  readonly #identity = createThrowawayAuthority().serverCertificate();

  constructor(mesh: MeshInNamespaces) {
    this.#mesh = mesh;
  }

  /** Of the mesh's user: its home, with the mesh's data and manifests in it. */
  get folder(): string {
    return dirname(this.#mesh.manifests);
  }

  /** Hidden from whoever is in namespaces of its own, who can take the cover off. */
  get covered(): string {
    return join(this.folder, "covered");
  }

  /** In those namespaces, `"SERVER"` in an aim is the process id of a server, which serves the folder /mnt too. */
  attempt(where: Place, wanted: Try): Promise<Outcome> {
    return where === "host" || where === "namespaces"
      ? this.#outside(where, wanted)
      : this.#order(where, wanted);
  }

  /** @param owner of a pod of `production` whose program takes orders */
  async enter(owner: Place): Promise<void> {
    const { processId } = await this.#mesh.process(`production/${owner}-0 sidecar`);
    const read = (): Promise<string> =>
      this.#mesh.read(`pods/production/${owner}-0/tmp/orders.json`).catch(() => "");
    const desk = await eventually(
      () => `${owner} to take orders`,
      async () => {
        const text = await read();
        return text.endsWith("}") && (JSON.parse(text) as { readonly port: number });
      },
    );
    const relay = ["-e", RELAY, this.#relayOf(owner), String(desk.port)];
    const parameters = [`--target=${processId}`, ...ENTER, process.execPath, ...relay];
    this.#relays.push(spawn("nsenter", parameters, { stdio: ["ignore", "ignore", "inherit"] }));
    const own: Try = { technique: "read", aim: { paths: ["/etc/hostname"] } };
    await eventually(
      () => `the relay to ${owner}`,
      async () => (await this.#order(owner, own)).got !== undefined,
    );
  }

  leave(): void {
    for (const relay of this.#relays) relay.kill("SIGKILL");
  }

  #relayOf(owner: string): string {
    return join(this.folder, `${owner}.sock`);
  }

  #order(owner: string, { technique, aim }: Try): Promise<Outcome> {
    const desk = {
      scratch: join(this.#mesh.data, "pods/production", `${owner}-0`, "tmp"),
      connect: () => connect({ path: this.#relayOf(owner) }),
    };
    const failed = (error: Error): Outcome => ({ error: error.message });
    return giveOrder(desk, { call: "attempt", technique, aim }).catch(failed);
  }

  async #outside(where: "host" | "namespaces", wanted: Try): Promise<Outcome> {
    const attempt = [process.execPath, "-e", ATTEMPT];
    const around = [...OWN_NAMESPACES.split(" "), "sh", "-c", PREPARE];
    const [program = "", ...parameters] = [...AS_USER, ...(where === "host" ? attempt : around)];
    await mkdir(this.covered, { recursive: true });
    const child = spawn(program, parameters, {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: this.folder,
      env: {
        PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`,
        TMPDIR: this.folder,
        NODE: process.execPath,
        ATTEMPTS: join(this.#mesh.manifests, "programs", "attempts.js"),
        ORDER: JSON.stringify(wanted),
        COVERED: this.covered,
        CERT: this.#identity.certificateChainPem,
        KEY: this.#identity.privateKeyPem,
        SERVER,
        ATTEMPT,
      },
    });
    return JSON.parse(await readText(child.stdout)) as Outcome;
  }
}
