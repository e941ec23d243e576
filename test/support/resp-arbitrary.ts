import * as fc from 'fast-check';

/** A RESP value for tests, beside the code under test. Strings stand for their latin1 bytes. */
export type RespModel =
  | { type: '+' | '-' | ':' | ',' | '(' | '$' | '!' | '='; text: string }
  | { type: '#'; value: boolean }
  | { type: '_' | 'nil-bulk' | 'nil-array' }
  | { type: '*' | '~' | '>' | '%'; items: RespModel[] }
  | { type: '|'; items: RespModel[]; value: RespModel };

/** What a RESP2 client reads: an error as `{ error }`. */
export type Resp2Value = string | number | null | { error: string } | Resp2Value[];

const bytes: fc.Arbitrary<string> = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map(charOf),
  maxLength: 80,
});
/** Errors are ASCII, since redis-parser reads them as UTF-8. */
const ascii: fc.Arbitrary<string> = fc.string({ unit: 'binary-ascii', maxLength: 40 });
const safeInteger: fc.Arbitrary<string> = fc.maxSafeInteger().map(String);

/** Values of RESP2. */
export const resp2Values: fc.Arbitrary<RespModel> = values([], ['*'], false);
/** Values of RESP3, attributes and nested pushes among them. */
export const resp3Values: fc.Arbitrary<RespModel> = values(resp3Leaves(), ['*', '~', '>', '%'], true);

/** The value on the wire. */
export function wireOf(model: RespModel): string {
  switch (model.type) {
    case '$':
    case '!':
      return `${model.type}${model.text.length}\r\n${model.text}\r\n`;
    case '=':
      return `=${model.text.length + 4}\r\ntxt:${model.text}\r\n`;
    case '_':
      return '_\r\n';
    case 'nil-bulk':
      return '$-1\r\n';
    case 'nil-array':
      return '*-1\r\n';
    case '#':
      return model.value ? '#t\r\n' : '#f\r\n';
    case '*':
    case '~':
    case '>':
      return `${model.type}${model.items.length}\r\n${model.items.map(wireOf).join('')}`;
    case '%':
      return `%${model.items.length / 2}\r\n${model.items.map(wireOf).join('')}`;
    case '|':
      return `|${model.items.length / 2}\r\n${model.items.map(wireOf).join('')}${wireOf(model.value)}`;
    default:
      return `${model.type}${model.text}\r\n`;
  }
}

/** What a RESP2 client should read instead, by the structural rule. */
export function resp2Of(model: RespModel): Resp2Value {
  switch (model.type) {
    case '-':
      return { error: model.text };
    case '!':
      return { error: model.text.replace(/[\r\n]/g, ' ') };
    case ':':
      return Number(model.text);
    case '#':
      return model.value ? 1 : 0;
    case '_':
    case 'nil-bulk':
    case 'nil-array':
      return null;
    case '*':
    case '~':
    case '>':
    case '%':
      return model.items.map(resp2Of);
    case '|':
      return resp2Of(model.value);
    default:
      return model.text;
  }
}

/** Cut bytes at arbitrary places; the parts are never empty. */
export function cut(all: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % all.length))].filter((place) => place > 0);
  const ends = [...at.sort((a, b) => a - b), all.length];
  return ends.map((end, index) => all.subarray(ends[index - 1] ?? 0, end));
}

export const cuts: fc.Arbitrary<number[]> = fc.array(fc.nat(), { maxLength: 40 });

function values(
  more: fc.Arbitrary<RespModel>[],
  aggregates: ('*' | '~' | '>' | '%')[],
  attributes: boolean,
): fc.Arbitrary<RespModel> {
  const leaves = [...resp2Leaves(), ...more];
  return fc.letrec<{ value: RespModel }>((tie) => {
    const items = fc.array(tie('value'), { maxLength: 6 });
    const nested = aggregates.map((type) =>
      items.map((list): RespModel => ({ type, items: type === '%' ? list.slice(list.length % 2) : list })),
    );
    const attribute = fc
      .record({ items, value: tie('value') })
      .map(({ items, value }): RespModel => ({ type: '|', items: items.slice(items.length % 2), value }));
    return {
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        ...leaves,
        ...nested,
        ...(attributes ? [attribute] : []),
      ),
    };
  }).value;
}

function resp2Leaves(): fc.Arbitrary<RespModel>[] {
  return [
    fc.record({ type: fc.constant('$' as const), text: bytes }),
    fc.record({ type: fc.constant('+' as const), text: bytes.map(oneLine) }),
    fc.record({ type: fc.constant('-' as const), text: ascii.map(oneLine) }),
    fc.record({ type: fc.constant(':' as const), text: safeInteger }),
    fc.constantFrom<RespModel>({ type: 'nil-bulk' }, { type: 'nil-array' }),
  ];
}

function resp3Leaves(): fc.Arbitrary<RespModel>[] {
  return [
    fc.record({ type: fc.constant(',' as const), text: fc.double().map(String) }),
    fc.record({ type: fc.constant('(' as const), text: fc.bigInt().map(String) }),
    fc.record({ type: fc.constant('=' as const), text: bytes }),
    fc.record({ type: fc.constant('!' as const), text: ascii }),
    fc.record({ type: fc.constant('#' as const), value: fc.boolean() }),
    fc.constant<RespModel>({ type: '_' }),
  ];
}

function charOf(byte: number): string {
  return String.fromCharCode(byte);
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, '.');
}
