/** The part of a key that decides where it is placed, so that keys can be kept together: `{user1}.name`, `{user1}.age`.
 *  `locate` leaves it in `start` and `end`, which costs no allocation. */
export class HashTag {
  /** The bytes that decide, after `locate`: from `start` to before `end`. */
  start = 0;
  end = 0;
  /** The bytes around a tag; -1 = there are no tags. */
  readonly #opening: number;
  readonly #closing: number;

  /** Bounds: '' (whole keys decide) or two ASCII characters, the opening and the closing one, which may be the same.
   *  Errors: throws for anything else. */
  constructor(characters: string) {
    if (!/^(?:[\0-\x7f]{2})?$/.test(characters)) {
      throw new Error(`A hash tag is '' or two ASCII characters such as '{}', not '${characters}'.`);
    }
    this.#opening = characters === '' ? -1 : characters.charCodeAt(0);
    this.#closing = characters === '' ? -1 : characters.charCodeAt(1);
  }

  /** The tag is what is between the first opening character and the next closing one. The whole key decides where one of
   *  them is missing or nothing is between them. Source: nutcracker 0.5, nc_server.c; Redis Cluster has the same rule. */
  locate(bytes: Uint8Array, start: number, end: number): void {
    this.start = start;
    this.end = end;
    if (this.#opening < 0) return;
    const opening = placeOf(this.#opening, bytes, start, end);
    if (opening === end) return;
    const closing = placeOf(this.#closing, bytes, opening + 1, end);
    if (closing === end || closing === opening + 1) return;
    this.start = opening + 1;
    this.end = closing;
  }
}

/** Where `byte` is first, or `end`. */
function placeOf(byte: number, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== byte) at++;
  return at;
}
