/** Prints every request that it is given, and answers with the header fields that came with it. */
const { PORT, HOST } = process.env;
require("node:http")
  .createServer((request, response) => {
    process.stdout.write(`${request.method} ${request.url}\n`);
    response.end(`${JSON.stringify(request.headers)}\n`);
  })
  .listen(Number(PORT), HOST);
