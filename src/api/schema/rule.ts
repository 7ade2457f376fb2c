/** A rule on top of the structure, as an API server holds a value to it. */

export interface Rule {
  /** In the Common Expression Language; `self` is the value. Whatever is not true is a fault, errors too. */
  readonly expression: string;
  /** What is wrong, after the path; `{value}` stands for the value as written. */
  readonly problem: string;
  /** Of a map: the rule holds where none of these fields is given, and is told at the last that is. */
  readonly about?: readonly string[];
}
