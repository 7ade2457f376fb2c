/** Reads connections of HTTP/2 by Node's own, in a process of its own, for `NodeHttp2Judge`. */
import { readHttp2ByNode } from "../../kit/node-http2.ts";

process.on("message", async (connections: readonly Uint8Array[]) => {
  process.send?.(await readHttp2ByNode(connections.map((bytes) => Buffer.from(bytes))));
});
process.on("disconnect", () => process.exit());
