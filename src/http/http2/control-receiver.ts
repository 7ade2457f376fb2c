/** The frames that speak of the connection or of a stream as such (RFC 9113 sections 6.3 to 6.9). */
import type { ConnectionCore } from "./connection-core.ts";
import { ERROR_CODE } from "./error-code.ts";
import { FLAG, FRAME, LARGEST, readUint31, readUint32 } from "./frame.ts";
import type { FrameReader } from "./frame-reader.ts";
import { MAX_SETTINGS } from "./limits.ts";
import { SETTING_SIZE } from "./peer-settings.ts";

/** What our PING says that stands between the two steps of a graceful end. */
export const DRAIN_PING: Buffer = Buffer.from("draining", "latin1");

/** Where a payload lies. */
interface Payload {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

export class ControlReceiver<Context> {
  readonly #core: ConnectionCore<Context>;
  /** Of ours that the peer has not acknowledged. */
  unacknowledged = 0;
  /** Called when the peer has answered `DRAIN_PING`. */
  readonly #finishDrain: () => void;

  constructor(core: ConnectionCore<Context>, finishDrain: () => void) {
    this.#core = core;
    this.#finishDrain = finishDrain;
  }

  /** Whether a frame of this type, length and stream can be one at all; if not, the connection has failed. */
  check({ type, flags, id, length }: FrameReader): boolean {
    const core = this.#core;
    const rule = RULES[type];
    if (rule === undefined) return true;
    if ((id === 0) !== (rule.on === "connection") && rule.on !== "either") {
      core.fail(ERROR_CODE.PROTOCOL_ERROR, `${rule.name} on a stream where it does not belong`);
    } else if (type === FRAME.SETTINGS && !isSettingsLength(length, flags)) {
      core.fail(ERROR_CODE.FRAME_SIZE_ERROR, "SETTINGS of a length that they cannot have");
    } else if (length < rule.least || length > rule.most) {
      core.fail(ERROR_CODE.FRAME_SIZE_ERROR, `${rule.name} of a length that it cannot have`);
    }
    return !core.isOver;
  }

  settings({ flags }: FrameReader, { bytes, from, to }: Payload): void {
    const core = this.#core;
    core.chargeControl(1);
    if ((flags & FLAG.ACK) !== 0) {
      if (this.unacknowledged > 0 && --this.unacknowledged === 0)
        core.events.settingsAcknowledged();
      return;
    }
    if (to - from > MAX_SETTINGS * SETTING_SIZE) {
      core.fail(ERROR_CODE.ENHANCE_YOUR_CALM, "SETTINGS of too many parameters");
      return;
    }
    const before = core.peer.initialWindowSize;
    const fault = core.peer.apply(
      bytes,
      { from, to },
      core.role === "client" ? "server" : "client",
    );
    if (fault !== undefined) {
      core.fail(fault.code, fault.problem);
      return;
    }
    this.#shiftWindows(core.peer.initialWindowSize - before);
    if (core.isOver) return;
    core.output.frameHeader(FRAME.SETTINGS, FLAG.ACK, { length: 0, id: 0 });
    core.announceOutput();
    core.events.settings(core.peer);
    core.wakeWaiting();
  }

  /** RFC 9113 section 6.9.2. */
  #shiftWindows(by: number): void {
    if (by === 0) return;
    for (const stream of this.#core.streams.values()) {
      stream.sendWindow += by;
      if (stream.sendWindow > LARGEST) {
        this.#core.fail(ERROR_CODE.FLOW_CONTROL_ERROR, "a window of more than 2^31-1 octets");
        return;
      }
    }
  }

  ping({ flags }: FrameReader, { bytes, from, to }: Payload): void {
    const core = this.#core;
    core.chargeControl(1);
    if ((flags & FLAG.ACK) === 0) {
      if (core.isOver) return;
      core.output.frameHeader(FRAME.PING, FLAG.ACK, { length: to - from, id: 0 });
      core.output.append(bytes, from, to);
      core.announceOutput();
    } else if (DRAIN_PING.compare(bytes, from, to) === 0) this.#finishDrain();
    else core.events.pong();
  }

  goaway({ bytes, from }: Payload): void {
    const core = this.#core;
    core.chargeControl(1);
    const last = readUint31(bytes, from);
    const code = readUint32(bytes, from + 4);
    if (last > core.lastServedByPeer) {
      core.fail(ERROR_CODE.PROTOCOL_ERROR, "GOAWAY that serves more than one before");
      return;
    }
    core.lastServedByPeer = last;
    core.isClosing = true;
    if (core.role === "client") this.#resetUnserved(last);
    core.events.goaway(last, code);
    core.checkDrained();
  }

  /** Nothing was done about these: they may be sent again elsewhere. */
  #resetUnserved(last: number): void {
    const core = this.#core;
    for (const stream of [...core.streams.values()]) {
      if (stream.id <= last || stream.isClosed) continue;
      core.drop(stream);
      core.events.reset(stream, ERROR_CODE.REFUSED_STREAM);
    }
  }

  windowUpdate({ id }: FrameReader, { bytes, from }: Payload): void {
    const core = this.#core;
    core.chargeControl(1);
    const increment = readUint31(bytes, from);
    if (id === 0) this.#widenConnection(increment);
    else if (this.#isKnown(id)) this.#widenStream(id, increment);
    if (!core.isOver) core.wakeWaiting();
  }

  #widenConnection(increment: number): void {
    const core = this.#core;
    core.sendWindow += increment;
    if (increment === 0) core.fail(ERROR_CODE.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
    else if (core.sendWindow > LARGEST) {
      core.fail(ERROR_CODE.FLOW_CONTROL_ERROR, "a window of more than 2^31-1 octets");
    }
  }

  #widenStream(id: number, increment: number): void {
    const core = this.#core;
    const stream = core.streams.get(id);
    if (stream === undefined) return;
    stream.sendWindow += increment;
    if (increment === 0) core.failStream(id, ERROR_CODE.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
    else if (stream.sendWindow > LARGEST) {
      core.failStream(id, ERROR_CODE.FLOW_CONTROL_ERROR, "a window of more than 2^31-1 octets");
    }
  }

  reset({ id }: FrameReader, { bytes, from }: Payload): void {
    const core = this.#core;
    if (!this.#isKnown(id)) return;
    const stream = core.streams.get(id);
    if (stream === undefined) {
      core.chargeControl(1);
      return;
    }
    const isEarly = stream.sending !== "over";
    core.drop(stream);
    core.events.reset(stream, readUint32(bytes, from));
    if (core.role === "server" && isEarly) core.chargeReset();
  }

  priority({ id }: FrameReader, { bytes, from }: Payload): void {
    const core = this.#core;
    core.chargeControl(1);
    if (readUint31(bytes, from) === id) {
      core.fail(ERROR_CODE.PROTOCOL_ERROR, "a stream that depends on itself");
    }
  }

  /** Whether there is, or was, a stream of this id; if there was none yet, the connection has failed. */
  #isKnown(id: number): boolean {
    const core = this.#core;
    if (core.streams.get(id) !== undefined || core.streams.absence(id) !== "idle") return true;
    core.fail(ERROR_CODE.PROTOCOL_ERROR, "a frame on an idle stream");
    return false;
  }
}

interface FrameRule {
  readonly name: string;
  readonly on: "connection" | "stream" | "either";
  readonly least: number;
  readonly most: number;
}

const ANY = Number.POSITIVE_INFINITY;
/** By type; DATA says for itself. */
const RULES: readonly (FrameRule | undefined)[] = [
  undefined,
  { name: "HEADERS", on: "stream", least: 0, most: ANY },
  { name: "PRIORITY", on: "stream", least: 5, most: 5 },
  { name: "RST_STREAM", on: "stream", least: 4, most: 4 },
  { name: "SETTINGS", on: "connection", least: 0, most: ANY },
  { name: "PUSH_PROMISE", on: "either", least: 0, most: ANY },
  { name: "PING", on: "connection", least: 8, most: 8 },
  { name: "GOAWAY", on: "connection", least: 8, most: ANY },
  { name: "WINDOW_UPDATE", on: "either", least: 4, most: 4 },
  { name: "CONTINUATION", on: "stream", least: 0, most: ANY },
];

function isSettingsLength(length: number, flags: number): boolean {
  return (flags & FLAG.ACK) === 0 ? length % SETTING_SIZE === 0 : length === 0;
}
