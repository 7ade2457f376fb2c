/** A list behind TCP: one line in, one line out, for as long as the connection lives. */
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const stock = ["chain mail", "gambeson"];

const commands = {
  LIST: () => stock.join(","),
  COUNT: () => String(stock.length),
  HAS: (what) => (stock.includes(what) ? "yes" : "no"),
  ADD: (what) => {
    stock.push(what);
    return "added";
  },
};

const server = createServer((socket) => {
  socket.on("error", () => socket.destroy());
  createInterface({ input: socket }).on("line", (line) => {
    const [command, ...rest] = line.split(" ");
    console.log(line);
    socket.write(`${commands[command]?.(rest.join(" ")) ?? "unknown command"}\n`);
  });
});
server.listen(Number(process.env.PORT), process.env.HOST);
