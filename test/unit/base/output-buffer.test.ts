import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';

import { LARGE_CHUNK, OutputBuffer, settleRun } from '../../../src/base/output-buffer.ts';

/** Takes copies at once, as a socket that writes synchronously does, so that chunks are reused. */
class Sink {
  writes: Buffer[] = [];
  /** What it still refers to. */
  kept: Buffer[] = [];
  hasTakenAll = true;

  corkedWrite(pieces: readonly Buffer[]): void {
    this.writes.push(Buffer.concat(pieces));
    if (!this.hasTakenAll) this.kept.push(...pieces);
  }

  get backlog(): number {
    return this.kept.reduce((sum, { length }) => sum + length, 0);
  }

  get text(): string {
    return Buffer.concat(this.writes).toString('latin1');
  }
}

let sink: Sink;

beforeEach(() => {
  sink = new Sink();
});

describe('OutputBuffer', () => {
  it('sends what was gathered in one write', () => {
    const out = new OutputBuffer();
    out.appendAll(Buffer.from('one '));
    out.appendLatin1('two ');
    const source = Buffer.from('xxthreexx');
    out.append(source, 2, 7);
    expect(out.length).toBe(13);
    out.flushTo(sink);
    expect(sink.writes.map(String)).toEqual(['one two three']);
    expect(out.length).toBe(0);
  });

  it('writes nothing when nothing was gathered', () => {
    new OutputBuffer().flushTo(sink);
    expect(sink.writes).toEqual([]);
  });

  it('has copied a run before its source changes, once it is settled', () => {
    const out = new OutputBuffer();
    const source = Buffer.from('abcdef');
    out.append(source, 0, 3);
    out.append(source, 3, 5);
    settleRun();
    source.fill('x');
    out.flushTo(sink);
    expect(sink.text).toBe('abcde');
  });

  it('settles another buffer’s run when it begins its own', () => {
    const [first, second] = [new OutputBuffer(), new OutputBuffer()];
    const source = Buffer.from('first|second');
    first.append(source, 0, 5);
    second.append(source, 6, 12);
    settleRun();
    source.fill('x');
    first.flushTo(sink);
    expect(sink.text).toBe('first');
    second.flushTo(sink);
    expect(sink.text).toBe('firstsecond');
  });

  it('does not take bytes of another source for the next of its run', () => {
    const out = new OutputBuffer();
    out.append(Buffer.from('ab??'), 0, 2);
    out.append(Buffer.from('??cd'), 2, 4);
    out.flushTo(sink);
    expect(sink.text).toBe('abcd');
  });

  it('does not reuse a chunk that the socket still refers to', () => {
    sink.hasTakenAll = false;
    const bytes = Buffer.alloc(3 * LARGE_CHUNK + 5, 'kept');
    const out = new OutputBuffer();
    out.appendAll(bytes);
    out.flushTo(sink);
    for (let i = 0; i < 10; i++) {
      const other = new OutputBuffer();
      other.appendAll(Buffer.alloc(3 * LARGE_CHUNK, 'other'));
      other.flushTo(new Sink());
    }
    expect(Buffer.concat(sink.kept).equals(bytes)).toBe(true);
  });

  it('reuses every chunk, full ones too, once the socket refers to none', () => {
    const send = (out: OutputBuffer, by: Sink): Set<ArrayBufferLike> => {
      out.appendAll(Buffer.alloc(2 * LARGE_CHUNK + 5, 'x'));
      by.hasTakenAll = false;
      out.flushTo(by);
      return new Set(by.kept.splice(0).map(({ buffer }) => buffer));
    };
    const out = new OutputBuffer(LARGE_CHUNK);
    const first = send(out, sink);
    expect(first.size).toBe(3);
    // The socket has drained, and nothing is there to be sent.
    out.flushTo(sink);
    const other = new OutputBuffer(LARGE_CHUNK);
    expect(send(other, sink)).toEqual(first);
    // The socket has closed.
    other.clear(sink);
    expect(send(new OutputBuffer(LARGE_CHUNK), sink)).toEqual(first);
  });

  it('takes no second large chunk for the last bytes of a large reply', () => {
    sink.hasTakenAll = false;
    const out = new OutputBuffer();
    out.appendAll(Buffer.alloc(LARGE_CHUNK + 10, 'x'));
    out.flushTo(sink);
    const memory = new Set(sink.kept.map(({ buffer }) => buffer));
    expect([...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBe(LARGE_CHUNK + 4096);
  });

  it('takes large chunks again for many small replies behind them', () => {
    sink.hasTakenAll = false;
    const out = new OutputBuffer();
    for (let i = 0; i < 4096; i++) out.appendAll(Buffer.alloc(64, 'x'));
    out.flushTo(sink);
    // 256 KiB in pairs of a small chunk and a large one.
    expect(sink.kept.length).toBeLessThanOrEqual(8);
  });

  it('forgets its bytes when it is cleared, an open run included', () => {
    const out = new OutputBuffer();
    out.appendAll(Buffer.from('gone'));
    out.append(Buffer.from('gone too'), 0, 8);
    out.clear(sink);
    expect(out.length).toBe(0);
    settleRun();
    out.appendAll(Buffer.from('new'));
    out.flushTo(sink);
    expect(sink.text).toBe('new');
  });

  it('gives the concatenation for any interleaving, although its sources are overwritten after each read', () => {
    const step = fc.record({
      out: fc.nat(2),
      kind: fc.constantFrom('run', 'run', 'run', 'all', 'text', 'read', 'flush'),
      size: fc.oneof(
        { weight: 5, arbitrary: fc.nat(60) },
        fc.integer({ min: 4000, max: 9000 }),
        fc.constant(70_000),
      ),
      gap: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => interleave(steps)),
      { interruptAfterTimeLimit: 3000, numRuns: 400 },
    );
  });
});

interface Step {
  out: number;
  kind: string;
  size: number;
  gap: number;
}

/** Three buffers are filled in turns from one read buffer; `read` overwrites it, as the next read of a socket does. */
function interleave(steps: readonly Step[]): void {
  const source = Buffer.alloc(200_000);
  let fill = 0;
  let at = 0;
  const read = (): void => {
    settleRun();
    fill = (fill + 1) % 251;
    for (let i = 0; i < source.length; i++) source[i] = (i * 7 + fill) & 0xff;
    at = 0;
  };
  read();
  const outs = [new OutputBuffer(), new OutputBuffer(LARGE_CHUNK), new OutputBuffer()] as const;
  const sinks = [new Sink(), new Sink(), new Sink()] as const;
  const expected: Buffer[][] = [[], [], []];
  for (const { out: index, kind, size, gap } of steps) {
    const out = outs[index as 0];
    if (kind === 'read' || at + size + gap > source.length) read();
    else if (kind === 'flush') out.flushTo(sinks[index as 0]);
    else {
      // A gap of 0 makes it the continuation of the last piece, as frames of a pipeline are.
      const start = at + gap;
      const bytes = Buffer.from(source.subarray(start, start + size));
      if (kind === 'run') out.append(source, start, start + size);
      else if (kind === 'all') out.appendAll(bytes);
      else out.appendLatin1(bytes.toString('latin1', 0, 4096));
      expected[index]?.push(kind === 'text' ? bytes.subarray(0, 4096) : bytes);
      at = start + size;
    }
  }
  for (const [index, out] of outs.entries()) {
    const sent = sinks[index as 0].writes.reduce((sum, write) => sum + write.length, 0);
    const whole = Buffer.concat(expected[index] as Buffer[]);
    expect(out.length + sent).toBe(whole.length);
    out.flushTo(sinks[index as 0]);
    expect(Buffer.concat(sinks[index as 0].writes).equals(whole)).toBe(true);
  }
}
