/**
 * What a program in wrong hands tries, besides making calls: one function a technique. Each takes an aim, which tells it
 * all that an intruder could know, and resolves with what it got; it throws when it was stopped. Contents of files are
 * told by their length and digest only, so that what should not have been read goes no further.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";

const PATIENCE_MS = 3_000;
/** Exit code of the script below when it is at fault itself. */
const BROKEN = 70;
const SCRIPT = join(import.meta.dirname, "attempts.py");

/** The technique needs a program that this machine does not have. */
class Missing extends Error {}

/** The technique itself failed. */
class Broken extends Error {}

const techniques = {
  say,
  sayInTls,
  sayToSockets,
  askControlPlane,
  read,
  write,
  searchProcesses,
  findDescriptors,
  run,
  python,
};

/** Resolves with `got`, with what `stopped` it, with what is `missing`, or, where it was not really made, with an `error`. */
export async function makeAttempt({ technique, aim }) {
  try {
    const got = await techniques[technique](aim);
    return { got: String(got).slice(0, 2_000) };
  } catch (error) {
    if (error instanceof Missing) return { missing: error.message };
    if (error instanceof Broken || isFault(error)) return { error: error.message };
    return { stopped: error.code ?? error.message };
  }
}

/** Of this program: nobody else has stopped it. */
function isFault(error) {
  return error instanceof TypeError || error instanceof ReferenceError;
}

/** Sends a text to an address or a Unix socket, and waits for what comes back. */
function say({ text, ...where }) {
  return answerOf(connect(where), text);
}

function sayInTls({ text, ...where }) {
  return answerOf(connectTls({ ...where, rejectUnauthorized: false }), text);
}

/** To the first of these Unix sockets that answers. */
async function sayToSockets({ paths, text }) {
  let stopped = new Error("nothing to try");
  for (const path of paths) {
    try {
      return await say({ path, text });
    } catch (error) {
      stopped = error;
    }
  }
  throw stopped;
}

function answerOf(socket, text) {
  return new Promise((resolve, reject) => {
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error("no answer")));
    socket.once("data", (data) => {
      resolve(String(data));
      socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed without an answer")));
    socket.write(text);
  });
}

/** A gRPC call; `body` is the message in base64. */
function askControlPlane({ address, path, body, tokenFile, ...given }) {
  const token = tokenFile === undefined ? given.token : readFileSync(tokenFile, "utf8").trim();
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`https://${address}`, { rejectUnauthorized: false });
    const parts = [];
    const settle = (end) => {
      end();
      session.destroy();
    };
    session.setTimeout(PATIENCE_MS, () => settle(() => reject(new Error("no answer"))));
    session.on("error", (error) => settle(() => reject(error)));
    const call = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    });
    const refuse = (headers) => {
      const status = headers["grpc-status"];
      if (status !== undefined && status !== "0")
        settle(() => reject(new Error(`gRPC status ${status}`)));
    };
    call.on("response", refuse);
    call.on("trailers", refuse);
    call.on("error", (error) => settle(() => reject(error)));
    call.on("data", (part) => {
      parts.push(part);
      settle(() => resolve(String(Buffer.concat(parts))));
    });
    call.on("close", () => settle(() => reject(new Error("closed without an answer"))));
    const message = Buffer.from(body, "base64");
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    call.end(Buffer.concat([frame, message]));
  });
}

/** The first of these files or folders that it can read. */
function read({ paths }) {
  return firstOf(paths, (path) => {
    const found = statSync(path);
    if (found.isSocket() || found.isBlockDevice()) return `${path} is there`;
    if (found.isDirectory()) {
      const names = readdirSync(path);
      if (names.length === 0) throw new Error("empty");
      return `${path}: ${names.length} entries`;
    }
    const content = readFileSync(path);
    if (content.length === 0) throw new Error("empty");
    return describe(path, content);
  });
}

/** Makes a file in the first of these folders that takes one, and removes it again. */
function write({ folders }) {
  return firstOf(folders, (folder) => {
    const path = join(folder, "attempt");
    writeFileSync(path, "was here\n");
    unlinkSync(path);
    return `wrote ${path}`;
  });
}

/**
 * Reads an entry of each process that it sees, and of those that it was told of: `environ`, `root/PATH` and the like.
 * Where a `needle` is given, only an entry that holds it counts.
 */
function searchProcesses({ processIds = [], entries, needle = "" }) {
  const seen = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const all = [...new Set([...seen, ...processIds.map(String), "self", "thread-self"])];
  const paths = all.flatMap((id) => entries.map((entry) => `/proc/${id}/${entry}`));
  return firstOf(paths, (path) => {
    const content = readFileSync(path);
    if (content.length === 0 || !content.includes(needle)) throw new Error("nothing in it");
    return describe(path, content);
  });
}

/** Descriptors, of these processes, that lead to folders, or to files that `own` does not match. */
function findDescriptors({ processIds, own }) {
  return firstOf(processIds, (id) => {
    const folder = `/proc/${id}/fd`;
    const links = readdirSync(folder).flatMap((name) => linkOf(join(folder, name)));
    const found = links.filter((to) => to.startsWith("/") && !new RegExp(own).test(to));
    if (found.length === 0) throw new Error("none that lead out");
    return found.join(" ");
  });
}

/** One that was closed meanwhile leads nowhere. */
function linkOf(path) {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}

/** Runs a program; what counts is what it prints, if it succeeds. */
function run({ command: [program, ...parameters], input = "" }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, {
      timeout: PATIENCE_MS,
      killSignal: "SIGKILL",
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) {
      child[name].on("data", (data) => {
        said[name] += data;
      });
    }
    child.on("error", (error) =>
      reject(error.code === "ENOENT" ? new Missing(`no ${program}`) : error),
    );
    child.on("close", (code) => {
      const problem = said.stderr.trim().split("\n").at(-1) || `exit ${code}`;
      if (code === 0) resolve(said.stdout.trim());
      else if (code === 127) reject(new Missing(problem));
      else reject(code === BROKEN ? new Broken(problem) : new Error(problem));
    });
    child.stdin.on("error", () => child.stdin.destroy());
    child.stdin.end(input);
  });
}

/** What Node has no word for: system calls, by way of the machine's Python. */
function python({ call, ...aim }) {
  return run({ command: ["/usr/bin/python3", SCRIPT, call, JSON.stringify(aim)] });
}

/** @returns what the first success was; throws what stopped the last */
function firstOf(things, attempt) {
  let stopped = new Error("nothing to try");
  for (const thing of things) {
    try {
      return attempt(thing);
    } catch (error) {
      stopped = error;
    }
  }
  throw stopped;
}

function describe(path, content) {
  const digest = createHash("sha256").update(content).digest("hex");
  return `${path}: ${content.length} bytes, sha256 ${digest}`;
}
