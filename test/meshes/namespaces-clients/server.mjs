// Listens on 8080 as any program would, and tells whoever asks which pod it is.
import { createServer } from "node:http";
import { hostname } from "node:os";

createServer((_request, response) => response.end(`${hostname()}, on port 8080\n`)).listen(8080);
