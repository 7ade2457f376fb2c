// A method of the parrot: a text each way, without protobuf.
const read = (bytes) => bytes.toString();
const write = (text) => Buffer.from(text);

export const PARROT = "hauberk.example.Parrot";

export function method(name) {
  return {
    path: `/${PARROT}/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: write,
    requestDeserialize: read,
    responseSerialize: write,
    responseDeserialize: read,
  };
}
