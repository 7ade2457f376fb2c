import assert from "node:assert/strict";
import { endianness } from "node:os";
import { test } from "node:test";
import { findSocketInodes, type SocketEnds } from "./socket-table.ts";

const little = { skip: endianness() !== "LE" && "tables as a little-endian kernel prints them" };
const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const row = (ends: string, inode: number): string =>
  `   0: ${ends} 01 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000000000000000 20 4 0 10 -1\n`;
const findSocketInode = (table: string, ends: SocketEnds): string | undefined =>
  findSocketInodes(table, [ends]).get(ends);
const client = { address: "127.0.0.1", port: 47104 };
const listener = { address: "127.0.0.1", port: 8080 };

test("finds the client's row and not the server's of the same connection", little, () => {
  const table = `${HEAD}${row("0100007F:1F90 0100007F:B800", 11)}${row("0100007F:B800 0100007F:1F90", 22)}`;
  assert.equal(findSocketInode(table, { local: client, remote: listener }), "22");
  assert.equal(findSocketInode(table, { local: listener, remote: client }), "11");
});

test("finds an IPv4 connection of a dual-stack socket", little, () => {
  const mapped = "0000000000000000FFFF00000100007F";
  const table = `${HEAD}${row(`${mapped}:B800 ${mapped}:1F90`, 33)}`;
  assert.equal(findSocketInode(table, { local: client, remote: listener }), "33");
});

test("finds an IPv6 connection", little, () => {
  const loopback = "00000000000000000000000001000000";
  const table = `${HEAD}${row(`${loopback}:B800 ${loopback}:1F90`, 44)}`;
  const ends = { local: { address: "::1", port: 47104 }, remote: { address: "::1", port: 8080 } };
  assert.equal(findSocketInode(table, ends), "44");
});

test("a connection that is not there, or has no owner any more, is not found", little, () => {
  const table = `${HEAD}${row("0100007F:B800 0100007F:1F90", 0)}`;
  assert.equal(findSocketInode(table, { local: client, remote: listener }), undefined);
  assert.equal(findSocketInode(HEAD, { local: client, remote: listener }), undefined);
});
