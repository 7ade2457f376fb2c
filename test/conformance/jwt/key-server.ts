/** A server of documents on loopback, and the control plane's way to them: loopback stands in its list of allowed addresses. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseCidr } from "../../../src/api/cidr.ts";
import { keyAddressProblem } from "../../../src/api/key-address-rules.ts";
import { fetchDocument } from "../../../src/control/key-sets/fetch-document.ts";

export interface KeyServer {
  /** As in `http://127.0.0.1:8080`. */
  readonly origin: string;
  /** Paths, in order. */
  readonly asked: readonly string[];
}

const LOOPBACK = "127.0.0.1";
const TIMEOUT_MS = 5_000;
const ALLOWED = [parseCidr(LOOPBACK)].filter((range) => range !== undefined);

/** @param documentAt what is served at a path */
export async function withKeyServer<Result>(
  documentAt: (path: string, origin: string) => string,
  use: (server: KeyServer) => Promise<Result>,
): Promise<Result> {
  const asked: string[] = [];
  const server = createServer(({ url = "" }, response) => {
    asked.push(url);
    response.end(documentAt(url, origin));
  });
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const origin = `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`;
  try {
    return await use({ origin, asked });
  } finally {
    server.close();
  }
}

export function fetchAllowed(uri: string): Promise<string> {
  return fetchDocument(uri, {
    timeoutMs: TIMEOUT_MS,
    addressProblem: (address) => keyAddressProblem(address, ALLOWED),
    extraRootsPem: [],
    findHost: () => undefined,
  });
}
