/** Inline requests: a line typed by a person or a health check, split as a shell would.
 *
 *  This follows Redis's `sdssplitargs` step by step, with its oddities: a closing quote must be followed by a blank, a
 *  vertical tab separates words only between them, and an unknown escape in double quotes stands for itself. */

const SPACE = 32;
const TAB = 9;
const CARRIAGE_RETURN = 13;
const DOUBLE_QUOTE = 34;
const SINGLE_QUOTE = 39;
const BACKSLASH = 92;
const LETTER_X = 120;

/** Escapes of double quotes by letter. */
const ESCAPES: ReadonlyMap<number, number> = new Map([
  [110, 10], // \n
  [114, 13], // \r
  [116, 9], // \t
  [98, 8], // \b
  [97, 7], // \a
]);

/** Split a line into arguments; undefined when its quotes are unbalanced.
 *  Shape: the line is without its `\n` or `\r\n` and holds no NUL. Cost: O(bytes). Source: Redis 7.0.15, sds.c. */
export function splitInline(line: Buffer): Buffer[] | undefined {
  const args: Buffer[] = [];
  const word = Buffer.allocUnsafe(line.length);
  let at = skipBlanks(line, 0);
  while (at < line.length) {
    const scan = new WordScan(line, at, word);
    if (!scan.run()) return undefined;
    args.push(Buffer.from(word.subarray(0, scan.length)));
    at = skipBlanks(line, scan.at);
  }
  return args;
}

/** One word: it may mix plain and quoted parts, as in `a"b c"`. */
class WordScan {
  readonly #line: Buffer;
  readonly #word: Buffer;
  at: number;
  length = 0;

  constructor(line: Buffer, at: number, word: Buffer) {
    this.#line = line;
    this.#word = word;
    this.at = at;
  }

  /** False when a quote is not closed, or is closed in the middle of a word. */
  run(): boolean {
    while (this.at < this.#line.length) {
      const byte = this.#line[this.at] as number;
      if (endsWord(byte)) return true;
      this.at += 1;
      if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) return this.#quoted(byte) && this.#atBlankOrEnd();
      this.#put(byte);
    }
    return true;
  }

  #quoted(quote: number): boolean {
    while (this.at < this.#line.length) {
      const byte = this.#line[this.at] as number;
      if (byte === BACKSLASH && this.#escaped(quote)) continue;
      this.at += 1;
      if (byte === quote) return true;
      this.#put(byte);
    }
    return false;
  }

  /** Take an escape; false when the backslash stands for itself. */
  #escaped(quote: number): boolean {
    return quote === DOUBLE_QUOTE ? this.#doubleEscape() : this.#singleEscape();
  }

  #doubleEscape(): boolean {
    const next = this.#line[this.at + 1];
    if (next === undefined) return false;
    const high = hexDigit(this.#line[this.at + 2]);
    const low = hexDigit(this.#line[this.at + 3]);
    if (next === LETTER_X && high >= 0 && low >= 0) {
      this.#put(high * 16 + low);
      this.at += 4;
    } else {
      this.#put(ESCAPES.get(next) ?? next);
      this.at += 2;
    }
    return true;
  }

  #singleEscape(): boolean {
    if (this.#line[this.at + 1] !== SINGLE_QUOTE) return false;
    this.#put(SINGLE_QUOTE);
    this.at += 2;
    return true;
  }

  #atBlankOrEnd(): boolean {
    return this.at === this.#line.length || isBlank(this.#line[this.at] as number);
  }

  #put(byte: number): void {
    this.#word[this.length] = byte;
    this.length += 1;
  }
}

function skipBlanks(line: Buffer, at: number): number {
  while (at < line.length && isBlank(line[at] as number)) at += 1;
  return at;
}

/** C's `isspace`: blank, \t, \n, \v, \f, \r. */
function isBlank(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= CARRIAGE_RETURN);
}

/** What ends an unquoted word: fewer bytes than `isspace` has. */
function endsWord(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CARRIAGE_RETURN;
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
