/**
 * Connects in plaintext, without pause, to port 8080 of the addresses that /tmp/addresses lists, and tells in
 * /tmp/attempts.json how often it tried each, since when, and what the first bytes were that came back.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { connect } from "node:net";

const PAUSE_MS = 5;
const TELL_MS = 50;
const CONNECT_MS = 60;
const ANSWER_MS = 2_000;
const REQUEST = "GET /plaintext HTTP/1.1\r\nHost: fresh\r\nConnection: close\r\n\r\n";

const attempts = {};
const underWay = new Map();
let addresses = [];

setInterval(readAddresses, TELL_MS);
setInterval(tell, TELL_MS);
setInterval(() => {
  for (const address of addresses) if ((underWay.get(address) ?? 0) < 2) tryOnce(address);
}, PAUSE_MS);

function tryOnce(address) {
  attempts[address] ??= { count: 0, accepted: 0, since: Date.now() };
  const known = attempts[address];
  known.count += 1;
  underWay.set(address, (underWay.get(address) ?? 0) + 1);
  const socket = connect(8080, address, () => {
    known.accepted += 1;
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    clearTimeout(timer);
    socket.write(REQUEST);
  });
  const timer = setTimeout(() => socket.destroy(), CONNECT_MS);
  socket.once("data", (data) => {
    known.got ??= { at: Date.now(), bytes: data.toString("latin1").slice(0, 200) };
  });
  socket.on("error", () => socket.destroy());
  socket.once("close", () => {
    clearTimeout(timer);
    underWay.set(address, underWay.get(address) - 1);
  });
}

function readAddresses() {
  try {
    addresses = readFileSync("/tmp/addresses", "utf8").split("\n").filter(Boolean);
  } catch {
    addresses = []; // not told yet
  }
}

function tell() {
  writeFileSync("/tmp/attempts.part", JSON.stringify(attempts));
  renameSync("/tmp/attempts.part", "/tmp/attempts.json");
}
