/**
 * Node takes the chain off a server's connection with the first question for the peer's certificate: whoever asks again
 * gets the leaf alone. From 24.21 and 26.8 on Node itself asks first (nodejs/node#65579), so that nobody else would ever see
 * who stands above a client. Here the first answer is kept for all who ask later. Has an effect by being imported.
 */
import { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

const ASK = "getPeerX509Certificate";

type Ask = (this: object) => unknown;

/** @returns what asks the connections of all sockets, or undefined where Node has it no more in this place */
function askedOf(socket: TLSSocket): { [ASK]: Ask } | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  const asked: unknown = handle && Object.getPrototypeOf(handle);
  return isAsked(asked) ? asked : undefined;
}

function isAsked(value: unknown): value is { [ASK]: Ask } {
  return (
    typeof value === "object" && value !== null && typeof Reflect.get(value, ASK) === "function"
  );
}

/** A question before the certificate is there has no answer to keep. */
function keepingFirst(ask: Ask): Ask {
  const first: WeakMap<object, unknown> = new WeakMap();
  return function (this: object) {
    const known = first.get(this) ?? ask.call(this);
    if (known !== undefined) first.set(this, known);
    return known;
  };
}

const socket = new TLSSocket(new Duplex());
const asked = askedOf(socket);
if (asked !== undefined) asked[ASK] = keepingFirst(asked[ASK]);
socket.destroy();
