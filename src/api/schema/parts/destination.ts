/** Where a route leads to. */
import {
  int32,
  type ListSchema,
  list,
  type ObjectSchema,
  object,
  text,
  uint32,
} from "../schema.ts";

export const destination: ObjectSchema = object(
  { host: text(), port: object({ number: uint32() }), subset: text() },
  { required: ["host"] },
);

export const tcpRoute: ListSchema = list(
  object({ destination, weight: int32() }, { required: ["destination"] }),
);
