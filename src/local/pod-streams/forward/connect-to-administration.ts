/** A sidecar's administration behind the port where Envoy has its own. */
import {
  createServer,
  type IncomingMessage,
  request as openRequest,
  type ServerResponse,
} from "node:http";
import { type Duplex, duplexPair } from "node:stream";
import { pipeline } from "node:stream/promises";
import { connectUnixSocket } from "../../../runtime/connect-unix-socket.ts";
import { describeError } from "../../../runtime/hauberk-error.ts";
import { askSidecar } from "../../pods/ask-sidecar.ts";
import type { AnswerAsEnvoy } from "../answer-as-envoy.ts";
import { type AdminQuestion, toAdministration } from "../exec/sidecar-command.ts";

export interface Administration {
  /** Path of the sidecar's Unix socket. */
  readonly socket: string;
  readonly answerAsEnvoy: AnswerAsEnvoy;
}

/** HTTP/1.1 is spoken on the stream that it returns, as on a connection to Envoy's administration. */
export function connectToAdministration(administration: Administration): Duplex {
  const [near, far] = duplexPair();
  const server = createServer((request, response) => {
    serve(request, { response, ...administration }).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end(`${describeError(error)}\n`);
    });
  });
  far.on("error", () => {}); // its client is gone
  near.once("close", () => far.destroy()).once("end", () => near.end());
  server.emit("connection", far);
  return near;
}

async function serve(
  { method = "", url = "" }: IncomingMessage,
  { response, socket, answerAsEnvoy }: Administration & { readonly response: ServerResponse },
): Promise<void> {
  const question = toAdministration(method, url);
  if (question === undefined) {
    response.writeHead(405, { allow: "GET, POST" }).end("only GET and POST are served\n");
    return;
  }
  const answer = await answerAsEnvoy(question, (asked) => askSidecar(socket, asked));
  if (answer === undefined) return await passOn(question, { response, socket });
  response.writeHead(200, { "content-type": answer.contentType }).end(answer.body);
}

async function passOn(
  { method, path }: AdminQuestion,
  { response, socket }: { readonly response: ServerResponse; readonly socket: string },
): Promise<void> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    openRequest({
      method,
      path,
      headers: { host: "sidecar" },
      createConnection: () => connectUnixSocket(socket),
    })
      .once("response", resolve)
      .once("error", reject)
      .end();
  });
  const type = answer.headers["content-type"];
  response.writeHead(answer.statusCode ?? 502, type === undefined ? {} : { "content-type": type });
  await pipeline(answer, response);
}
