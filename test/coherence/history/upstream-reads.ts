import { childFrames, FrameReader } from '../../support/frame-reader.ts';

const PUSH = '>'.charCodeAt(0);

/** Knows what nearcache is asking Redis: a read that was answered without that was a hit. It counts each request as a whole and,
 *  since a read of several keys may be asked in other pieces, each of its arguments. Users are not told apart, so a hit may be taken
 *  for a read, but no read for a hit. */
export class UpstreamReads {
  readonly #asked = new Map<string, { count: number; outstanding: number }>();

  connection(): UpstreamConnection {
    return new UpstreamConnection(this.#asked);
  }

  /** To be compared with what it returns when the reply is there: the same number = Redis was not asked in between. Shape:
   *  undefined = an answer to somebody who has asked before may still come. */
  mark(db: number, request: readonly string[]): number | undefined {
    let sum = 0;
    const [name, ...args] = request;
    const parts = name === 'MGET' || name === 'EXISTS' ? args : [wholeOf(request)];
    for (const subject of parts.map((part) => subjectOf(db, part))) {
      const asked = this.#asked.get(subject);
      if (asked === undefined) continue;
      if (asked.outstanding > 0) return undefined;
      sum += asked.count;
    }
    return sum;
  }
}

/** One connection of nearcache to Redis: requests and replies are told apart and counted. */
class UpstreamConnection {
  readonly #asked: Map<string, { count: number; outstanding: number }>;
  readonly #requests = new FrameReader();
  readonly #replies = new FrameReader();
  /** What each request without a reply asks about. */
  readonly #waiting: string[][] = [];
  #db = 0;

  constructor(asked: Map<string, { count: number; outstanding: number }>) {
    this.#asked = asked;
  }

  sent(bytes: Buffer): void {
    this.#requests.push(bytes);
    for (let frame = this.#requests.take(); frame !== undefined; frame = this.#requests.take()) {
      const request = childFrames(frame).map(textOf);
      if (request[0] === 'SELECT') this.#db = Number(request[1]);
      if (request[0] === 'RESET') this.#db = 0;
      const parts = request[0] === 'PTTL' ? [] : [wholeOf(request), ...request.slice(1)];
      const subjects = parts.map((part) => subjectOf(this.#db, part));
      for (const subject of subjects) {
        const asked = this.#asked.get(subject) ?? { count: 0, outstanding: 0 };
        asked.count++;
        asked.outstanding++;
        this.#asked.set(subject, asked);
      }
      this.#waiting.push(subjects);
    }
  }

  delivered(bytes: Buffer): void {
    this.#replies.push(bytes);
    for (let frame = this.#replies.take(); frame !== undefined; frame = this.#replies.take()) {
      if (frame[0] !== PUSH) this.#answered(this.#waiting.shift() ?? []);
    }
  }

  closed(): void {
    for (const subjects of this.#waiting.splice(0)) this.#answered(subjects);
  }

  #answered(subjects: readonly string[]): void {
    for (const subject of subjects) {
      const asked = this.#asked.get(subject);
      if (asked !== undefined) asked.outstanding--;
    }
  }
}

/** A request as a whole, which no argument can be taken for. */
function wholeOf(request: readonly string[]): string {
  return JSON.stringify(request);
}

function subjectOf(db: number, part: string): string {
  return `${db} ${part}`;
}

function textOf(bulk: Buffer): string {
  return bulk.toString('latin1', bulk.indexOf('\n') + 1, bulk.length - 2);
}
