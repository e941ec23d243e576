import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { InputBuffer } from '../../../src/session/input-buffer.ts';

function held(input: InputBuffer): string {
  return input.bytes?.toString('latin1', input.start, input.end) ?? '';
}

describe('InputBuffer', () => {
  it('holds no memory until it is given bytes, and none once they are consumed', () => {
    const input = new InputBuffer();
    expect(input.bytes).toBeUndefined();
    input.append(Buffer.from('xxabcxx'), 2, 5);
    expect(held(input)).toBe('abc');
    input.consumeTo(input.end);
    expect(input.bytes).toBeUndefined();
    expect(input.length).toBe(0);
  });

  it('takes the memory again that another has given back, of each size below 256 KiB', () => {
    for (const size of [10_000, 20_000, 40_000, 100_000]) {
      const first = new InputBuffer();
      first.append(Buffer.alloc(size), 0, size);
      const memory = first.bytes;
      first.clear();
      const second = new InputBuffer();
      second.append(Buffer.alloc(size), 0, size);
      expect(second.bytes).toBe(memory);
    }
  });

  it('owns its bytes', () => {
    const input = new InputBuffer();
    const source = Buffer.from('abc');
    input.append(source, 0, 3);
    source.fill('x');
    expect(held(input)).toBe('abc');
  });

  it('grows to what it must hold, and not by more than twice that', () => {
    const input = new InputBuffer();
    const piece = Buffer.alloc(50_000, 'p');
    for (let i = 0; i < 20; i++) input.append(piece, 0, piece.length);
    expect(input.length).toBe(1_000_000);
    expect(input.bytes?.length).toBeLessThanOrEqual(2_097_152);
  });

  it('reuses the room of what was consumed', () => {
    const input = new InputBuffer();
    const piece = Buffer.alloc(10_000, 'p');
    input.append(piece, 0, piece.length);
    const { bytes } = input;
    for (let i = 0; i < 100; i++) {
      input.consumeTo(input.end - 10);
      input.append(piece, 0, piece.length);
    }
    expect(input.bytes?.length).toBe(bytes?.length);
    expect(input.length).toBe(10_010);
  });

  it('is the concatenation of what was appended less what was consumed', () => {
    const step = fc.record({ append: fc.nat(40_000), consume: fc.nat(1000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const input = new InputBuffer();
        let model = '';
        for (const [index, { append, consume }] of steps.entries()) {
          const source = Buffer.alloc(append + 4, String.fromCharCode(97 + (index % 26)));
          input.append(source, 2, 2 + append);
          model += source.toString('latin1', 2, 2 + append);
          const taken = Math.floor((model.length * consume) / 1000);
          input.consumeTo(input.start + taken);
          model = model.slice(taken);
          expect(input.length).toBe(model.length);
        }
        expect(held(input) === model).toBe(true);
      }),
      { interruptAfterTimeLimit: 2000 },
    );
  });
});
