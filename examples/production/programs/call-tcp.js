/** One line out, one line back, over TCP. */
import { connect } from "node:net";

const PATIENCE_MS = 5_000;
const kept = new Map();

/** `keep` names a connection that stays open, and is used again by whoever names it so. */
export async function callTcp({ host, port, line, keep }) {
  const known = kept.get(keep);
  const socket = known ?? (await open({ host, port }));
  if (known === undefined && keep !== undefined) kept.set(keep, socket);
  const { localPort } = socket;
  if (socket.destroyed) return { error: "the connection had ended", localPort };
  const answer = new Promise((resolve, reject) => {
    const fail = (message) => reject(Object.assign(new Error(message), { localPort }));
    socket.setTimeout(PATIENCE_MS, () => fail("no answer"));
    socket.once("data", (data) => resolve(String(data).trim()));
    socket.once("error", (error) => fail(error.code ?? error.message));
    socket.once("close", () => fail("closed without an answer"));
  });
  socket.write(`${line}\n`);
  try {
    return { answer: await answer, localPort };
  } finally {
    socket.removeAllListeners();
    socket.on("error", () => socket.destroy());
    if (keep === undefined) socket.destroy();
  }
}

function open({ host, port }) {
  const socket = connect({ host, port });
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}
