/**
 * Before anything is measured: the pair does what its cost is for. The callee's application hears who calls, the caller may
 * not do what no rule allows, and neither a stranger nor somebody without certificate gets through.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import type { ClientFiles, Pair } from "./proxy-side.ts";

const LOOPBACK = "127.0.0.1";
const CALLER = /frontend/;
const REFUSED = "nothing but a refusal";

/** @throws Error that names the pair and what it does not do */
export async function checkPair(name: string, { caller, callee }: Pair): Promise<void> {
  const { http: outbound = 0 } = caller.ports;
  const expect = (what: string, got: string, wanted: RegExp | string): void => {
    const isGood = typeof wanted === "string" ? got === wanted : wanted.test(got);
    if (!isGood) throw new Error(`${name}: ${what}: got ${got.slice(0, 200)}, expected ${wanted}`);
  };
  expect("who calls", await answer(outbound, "GET", "/caller"), CALLER);
  expect(
    "a method that no rule allows",
    (await answer(outbound, "DELETE", "/small")).slice(0, 3),
    "403",
  );
  const { http: inbound = 0 } = callee.ports;
  const strangers = await asClient(inbound, callee.clients?.stranger);
  expect("an identity that no rule allows", strangers, REFUSED);
  expect("a client without certificate", await asClient(inbound, undefined), REFUSED);
}

/** @returns status and body */
async function answer(port: number, method: string, path: string): Promise<string> {
  const asked = request({ host: LOOPBACK, port, method, path, agent: false }).end();
  const [response] = await once(asked, "response");
  return `${response.statusCode} ${await text(response)}`;
}

/** @returns what a client of the callee's proxy hears, unless it is refused */
async function asClient(port: number, files: ClientFiles | undefined): Promise<string> {
  const socket = connect({
    host: LOOPBACK,
    port,
    rejectUnauthorized: false,
    ALPNProtocols: ["istio-http/1.1", "http/1.1"],
    ...(files && { cert: readFileSync(files.certificate), key: readFileSync(files.key) }),
  });
  socket.write("GET /small HTTP/1.1\r\nHost: api:8080\r\nConnection: close\r\n\r\n");
  try {
    const heard = await text(socket);
    return /^HTTP\/1\.1 (?:400|403) /.test(heard) || heard === "" ? REFUSED : heard;
  } catch {
    return REFUSED; // by an alert, or the connection was cut
  }
}
