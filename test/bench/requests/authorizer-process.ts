/** Answers a `Check` with an OK of no words, or a denial where the request says that it is to be refused. */
import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";

/** `CheckResponse { status {} ok_response {} }` behind the five octets of gRPC. */
const ALLOWED = Buffer.from([0, 0, 0, 0, 4, 0x0a, 0, 0x1a, 0]);
/** `CheckResponse { status { code: 7 } denied_response {} }` */
const DENIED = Buffer.from([0, 0, 0, 0, 6, 0x0a, 2, 0x08, 7, 0x12, 0]);
const REFUSED = "to be refused";

const server = createServer();
server.on("stream", (stream) => {
  stream.on("error", () => undefined); // whoever asked is gone
  const parts: Buffer[] = [];
  stream.on("data", (part: Buffer) => parts.push(part));
  stream.once("end", () => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc" },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.concat(parts).includes(REFUSED) ? DENIED : ALLOWED);
  });
});
await once(server.listen(0, "127.0.0.1"), "listening");
process.send?.((server.address() as AddressInfo).port);
process.once("disconnect", () => process.exit(0));
