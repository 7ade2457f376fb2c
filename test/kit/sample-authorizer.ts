/**
 * The external authorizer of Istio's samples, over HTTP and gRPC: it lets pass what has `x-ext-authz: allow`, or, without that header,
 * whoever is service account `a`; and it tells in headers what it was asked. Our own words for `samples/extauthz` of istio/istio.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  type Attributes,
  allowing,
  type CheckAnswer,
  denying,
  grpcAuthorizer,
  type Message,
} from "./grpc-authorizer.ts";
import { LOOPBACK, portOf } from "./sidecar-fixture.ts";

export interface SampleAuthorizer {
  readonly ports: { readonly http: number; readonly grpc: number };
  close(): Promise<void>;
}

const CHECKED = "x-ext-authz";
const RESULT = "x-ext-authz-check-result";
const RECEIVED = "x-ext-authz-check-received";
const OVERRIDE = "x-ext-authz-additional-header-override";
const DENIED = "denied by ext_authz for not found header `x-ext-authz: allow` in the request";
const MAX_RECEIVED = 60_000;

export async function sampleAuthorizer(): Promise<SampleAuthorizer> {
  const server = createServer(answerOverHttp);
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const grpc = await grpcAuthorizer(undefined, answerOverGrpc);
  return {
    ports: { http: portOf(server), grpc: grpc.port },
    async close() {
      grpc.stop();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function answerOverHttp({ method, url, headers }: IncomingMessage, response: ServerResponse): void {
  const isAllowed = headers[CHECKED] === "allow";
  response.setHeader(RESULT, isAllowed ? "allowed" : "denied");
  response.setHeader(OVERRIDE, headers[OVERRIDE] ?? "");
  response.setHeader(RECEIVED, `${method} ${headers.host}${url}, ${JSON.stringify(headers)}`);
  response.writeHead(isAllowed ? 200 : 403).end(isAllowed ? "" : DENIED);
}

function answerOverGrpc(attributes: Attributes): CheckAnswer {
  const asked = attributes.request?.http?.headers[CHECKED];
  const isAllowed =
    asked === undefined ? attributes.source.principal.endsWith("/sa/a") : asked === "allow";
  const headers = [
    option(RESULT, isAllowed ? "allowed" : "denied"),
    option(RECEIVED, JSON.stringify(attributes).slice(0, MAX_RECEIVED)),
    option(OVERRIDE, "grpc-additional-header-override-value"),
  ];
  if (isAllowed) return allowing({ headers });
  return denying({ status: { code: "Forbidden" }, body: DENIED, headers });
}

function option(key: string, value: string): Message {
  return { header: { key, value } };
}
