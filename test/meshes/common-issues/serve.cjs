/** Answers every request. */
require("node:http")
  .createServer((_request, response) => response.end("hello\n"))
  .listen(Number(process.env.PORT), process.env.HOST);
