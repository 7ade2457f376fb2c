// An xDS server of grpc-js: it asks the mesh how to serve its port, and answers what it is told.
import { ServerCredentials } from "@grpc/grpc-js";
import { register, XdsServer, XdsServerCredentials } from "@grpc/grpc-js-xds";
import { method } from "./parrot-method.mjs";

register();
const server = new XdsServer();
const say = (call, respond) => respond(null, `${call.request}!`);
server.addService(
  { say: method("Say"), whisper: method("Whisper"), scream: method("Scream") },
  { say, whisper: say, scream: say },
);
const credentials = new XdsServerCredentials(ServerCredentials.createInsecure());
server.bindAsync(`${process.env.HOST}:${process.env.PORT}`, credentials, (error) => {
  if (error) throw error;
  console.log("serving");
});
