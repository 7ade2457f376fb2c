/** New TCP connections, each with a full handshake of mutual TLS, one request and its answer. */
import { readFileSync } from "node:fs";
import { connect } from "node:tls";
import { AnswerReader, requestBytes } from "./answer-reader.ts";
import type { LoadOrder, LoadWork } from "./load-messages.ts";
import { Tally } from "./tally.ts";

const SERVER_NAME = "outbound_.8080_._.api.production.svc.cluster.local";
/** After a failure, so that a proxy that refuses does not keep this process spinning. */
const PAUSE_MS = 50;

export function shakeHands(order: LoadOrder & { readonly kind: "handshakes" }): LoadWork {
  const { port, path, connections, files } = order;
  const tally = new Tally();
  const bytes = requestBytes(path);
  const tls = {
    port,
    cert: readFileSync(files.certificate),
    key: readFileSync(files.key),
    ca: readFileSync(files.root),
    minVersion: "TLSv1.3",
    servername: SERVER_NAME,
    ALPNProtocols: ["istio-http/1.1", "http/1.1"],
    checkServerIdentity: () => undefined, // it is the proxy's work that is measured
  } as const;
  let ended = false;

  const once = (): void => {
    if (ended) return;
    let settled = false;
    const settle = (problem?: string): void => {
      if (settled) return;
      settled = true;
      socket.destroy();
      if (problem === undefined) tally.add(1);
      else if (!ended) tally.fail(problem);
      if (problem === undefined) once();
      else setTimeout(once, PAUSE_MS);
    };
    const socket = connect(tls, () => {
      if (socket.isSessionReused()) settle("a session was resumed");
      else socket.write(bytes);
    });
    const reader = new AnswerReader(path, settle);
    socket.on("data", (chunk) => reader.read(chunk));
    socket.on("error", ({ message }) => settle(message));
    socket.on("close", () => settle("closed before it answered"));
  };
  for (let index = 0; index < connections; index++) once();
  return {
    begin: () => tally.begin(),
    end: () => {
      ended = true;
      return tally.end();
    },
  };
}
