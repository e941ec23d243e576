import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { toResp2 } from '../../src/protocol/resp2.ts';
import type { Resp2Shape } from '../../src/protocol/resp2-shapes.ts';
import { parseWithOracle } from '../support/redis-parser-oracle.ts';
import { type Resp2Value, type RespModel, resp2Of, resp3Values, wireOf } from '../support/resp-arbitrary.ts';

const TIME_BOX = { interruptAfterTimeLimit: 3_000, numRuns: 2_000 };

const SHAPES: Resp2Shape[] = [
  'plain',
  'flatten',
  'streams',
  'nil-array',
  'nil-array-with-count',
  'nil-array-when-waited',
  'nil-array-elements',
  'pending-summary',
];

function convert(
  model: RespModel,
  shape: Resp2Shape,
  queued?: { shape: Resp2Shape; argc: number }[],
): Buffer {
  const frame = Buffer.from(wireOf(model), 'latin1');
  return toResp2(frame, 0, frame.length, { shape, argc: 3, inExec: false, queued });
}

/** redis-parser cannot tell `$-1` from `*-1`, so this is about structure and values. */
function read(bytes: Buffer): Resp2Value {
  const values = parseWithOracle(bytes);
  expect(values).toHaveLength(1);
  return values[0] as Resp2Value;
}

/** The structural result, with the top changed as the shape says. */
function expected(model: RespModel, shape: Resp2Shape): Resp2Value {
  if (model.type === '|') return expected(model.value, shape);
  const plain = resp2Of(model);
  if (shape === 'flatten' && model.type === '*' && model.items.every(isArray))
    return (plain as Resp2Value[]).flat(1);
  if (shape !== 'streams' || model.type !== '%') return plain;
  return pairs(plain as Resp2Value[]);
}

function pairs(flat: Resp2Value[]): Resp2Value[] {
  return flat.length === 0 ? [] : [flat.slice(0, 2), ...pairs(flat.slice(2))];
}

function isArray(model: RespModel): boolean {
  return model.type === '|' ? isArray(model.value) : model.type === '*';
}

describe('toResp2', () => {
  it('turns any RESP3 value into what a RESP2 client should read', () => {
    fc.assert(
      fc.property(resp3Values, fc.constantFrom(...SHAPES), (model, shape) => {
        expect(read(convert(model, shape))).toEqual(expected(model, shape));
      }),
      { ...TIME_BOX, numRuns: 4_000 },
    );
  });

  it('turns each element of EXEC into what its own command would have answered', () => {
    const element = fc.record({ model: resp3Values, shape: fc.constantFrom(...SHAPES) });
    fc.assert(
      fc.property(fc.array(element, { maxLength: 6 }), (elements) => {
        const reply: RespModel = { type: '*', items: elements.map(({ model }) => model) };
        const queued = elements.map(({ shape }) => ({ shape, argc: 3 }));
        expect(read(convert(reply, 'exec', queued))).toEqual(
          elements.map(({ model, shape }) => expected(model, shape)),
        );
      }),
      TIME_BOX,
    );
  });

  it('leaves what it has converted as it is', () => {
    fc.assert(
      fc.property(resp3Values, (model) => {
        const once = convert(model, 'plain');
        expect(toResp2(once, 0, once.length, { shape: 'plain', argc: 2, inExec: false })).toEqual(once);
      }),
      TIME_BOX,
    );
  });
});
