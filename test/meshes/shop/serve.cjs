// Answers every request.
const { PORT, HOST } = process.env;
require("node:http")
  .createServer((_request, response) => response.end("here you are\n"))
  .listen(Number(PORT), HOST);
