/** A small TCP service: one line in, one line out, for as long as the connection lives. */
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const server = createServer((socket) => {
  socket.on("error", () => socket.destroy());
  createInterface({ input: socket }).on("line", (line) => {
    console.log(line);
    socket.write(`${line.toUpperCase()}\n`);
  });
});
server.listen(Number(process.env.PORT), process.env.HOST);
