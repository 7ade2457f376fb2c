/** What the peer has told us about itself (RFC 9113 section 6.5.2). */
import { ERROR_CODE } from "./error-code.ts";
import { LARGEST, readUint32 } from "./frame.ts";
import { MAX_FRAME_SIZE } from "./limits.ts";

export const SETTING = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

export const SETTING_SIZE = 6;
const LARGEST_FRAME_SIZE = 0xff_ffff;
/** Until the peer has said how many: the least that RFC 9113 recommends. */
const STREAMS_AT_FIRST = 100;

/** Why a SETTINGS frame is a connection error. */
export interface SettingsFault {
  readonly code: number;
  readonly problem: string;
}

export class PeerSettings {
  maxConcurrentStreams: number = STREAMS_AT_FIRST;
  initialWindowSize = 65_535;
  maxFrameSize: number = MAX_FRAME_SIZE;
  /** What the peer would rather not exceed in a head or trailers; see `FieldBlock.listSize`. */
  maxFieldList: number = Number.POSITIVE_INFINITY;
  #isKnown = false;

  /** Takes a SETTINGS frame's parameters, in order. */
  apply(
    bytes: Buffer,
    { from, to }: { readonly from: number; readonly to: number },
    peer: "client" | "server",
  ): SettingsFault | undefined {
    if (!this.#isKnown) this.maxConcurrentStreams = Number.POSITIVE_INFINITY;
    this.#isKnown = true;
    for (let at = from; at < to; at += SETTING_SIZE) {
      const id = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      const fault = this.#set(id, readUint32(bytes, at + 2), peer);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #set(id: number, value: number, peer: "client" | "server"): SettingsFault | undefined {
    if (id === SETTING.ENABLE_PUSH) {
      return value === 0 || (value === 1 && peer === "client") ? undefined : fault("ENABLE_PUSH");
    }
    if (id === SETTING.MAX_CONCURRENT_STREAMS) this.maxConcurrentStreams = value;
    else if (id === SETTING.INITIAL_WINDOW_SIZE) {
      if (value > LARGEST) return WINDOW_FAULT;
      this.initialWindowSize = value;
    } else if (id === SETTING.MAX_FRAME_SIZE) {
      if (value < MAX_FRAME_SIZE || value > LARGEST_FRAME_SIZE) return fault("MAX_FRAME_SIZE");
      this.maxFrameSize = value;
    } else if (id === SETTING.MAX_HEADER_LIST_SIZE) this.maxFieldList = value;
    return undefined;
  }
}

const WINDOW_FAULT: SettingsFault = {
  code: ERROR_CODE.FLOW_CONTROL_ERROR,
  problem: "an initial window of more than 2^31-1 octets",
};

function fault(name: string): SettingsFault {
  return { code: ERROR_CODE.PROTOCOL_ERROR, problem: `a value that ${name} cannot have` };
}
