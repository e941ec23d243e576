import { describe, expect, it } from 'vitest';

import { REPLY_DEPTH_MAX } from '../../../src/protocol/limits.ts';
import { NOT_RESP, ReplyScanner, UNFINISHED } from '../../../src/protocol/reply-scanner.ts';
import { waysToCut } from '../../support/decoding.ts';
import { scanChunks } from '../../support/scanning.ts';

const RESP2_FRAMES = [
  '+OK\r\n',
  '+\r\n',
  `+${'long '.repeat(40)}\r\n`,
  '-ERR no such key\r\n',
  // A module may leave a line feed in its text; Redis's clients end a line at CR LF.
  '-ERR a\nb\r\n',
  ':0\r\n',
  ':-9223372036854775808\r\n',
  '$5\r\nhello\r\n',
  '$0\r\n\r\n',
  '$4\r\n\r\n\r\n\r\n',
  '$-1\r\n',
  `$300\r\n${'x'.repeat(300)}\r\n`,
  '*0\r\n',
  '*-1\r\n',
  '*2\r\n$3\r\nfoo\r\n:12\r\n',
  '*3\r\n*2\r\n+a\r\n*0\r\n*1\r\n*1\r\n$-1\r\n-ERR x\r\n',
  '*12\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n:10\r\n:11\r\n:12\r\n',
];

const RESP3_FRAMES = [
  '_\r\n',
  '#t\r\n',
  '#f\r\n',
  ',1.5\r\n',
  ',-inf\r\n',
  '(3492890328409238509324850943850943825024385\r\n',
  '=7\r\ntxt:abc\r\n',
  '!8\r\nERR a\r\nb\r\n',
  '%0\r\n',
  '%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n',
  '~0\r\n',
  '~2\r\n$1\r\na\r\n$1\r\nb\r\n',
  '*1\r\n_\r\n',
  '*2\r\n$1\r\na\r\n%1\r\n~1\r\n,1\r\n#t\r\n',
];

describe('ReplyScanner', () => {
  for (const frame of [...RESP2_FRAMES, ...RESP3_FRAMES]) {
    for (const [way, chunks] of waysToCut(Buffer.from(`${frame}+next\r\n`))) {
      it(`finds the end of ${JSON.stringify(frame.slice(0, 50))} (${way})`, () => {
        expect(scanChunks(chunks)).toEqual([
          { frame, type: frame[0], hasResp3: RESP3_FRAMES.includes(frame) },
          { frame: '+next\r\n', type: '+', hasResp3: false },
        ]);
      });
    }
  }

  it.each(waysToCut(Buffer.from('>2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n')))(
    'tells a push by its type, and it holds no RESP3 type by itself (%s)',
    (_, chunks) => {
      const frame = '>2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n';
      expect(scanChunks(chunks)).toEqual([{ frame, type: '>', hasResp3: false }]);
    },
  );

  it.each(waysToCut(Buffer.from('*2\r\n>3\r\n+subscribe\r\n+a\r\n:1\r\n:7\r\n')))(
    'does not take a push inside an array for a push: EXEC of SUBSCRIBE answers so (%s)',
    (_, chunks) => {
      const frame = '*2\r\n>3\r\n+subscribe\r\n+a\r\n:1\r\n:7\r\n';
      expect(scanChunks(chunks)).toEqual([{ frame, type: '*', hasResp3: true }]);
    },
  );

  for (const frame of [
    '|1\r\n+ttl\r\n:3600\r\n$1\r\na\r\n',
    '|0\r\n$1\r\na\r\n',
    '|1\r\n+a\r\n*1\r\n:1\r\n|1\r\n+b\r\n:2\r\n$1\r\na\r\n',
    '|1\r\n+a\r\n|1\r\n+b\r\n+c\r\n+d\r\n$1\r\na\r\n',
  ]) {
    it.each(waysToCut(Buffer.from(`${frame}+next\r\n`)))(
      `takes the attribute of ${JSON.stringify(frame)} for a part of the frame (%s)`,
      (_, chunks) => {
        expect(scanChunks(chunks)).toEqual([
          { frame, type: '$', hasResp3: true },
          { frame: '+next\r\n', type: '+', hasResp3: false },
        ]);
      },
    );
  }

  it.each(
    waysToCut(Buffer.from('*2\r\n|1\r\n+a\r\n:1\r\n:2\r\n|2\r\n+b\r\n:3\r\n+c\r\n:4\r\n:5\r\n+next\r\n')),
  )('does not count an attribute as an element (%s)', (_, chunks) => {
    expect(scanChunks(chunks).map((scanned) => ('type' in scanned ? scanned.type : scanned))).toEqual([
      '*',
      '+',
    ]);
  });

  it('knows the type as soon as its first byte is here', () => {
    const scanner = new ReplyScanner();
    expect(scanner.next(Buffer.from('>'), 0, 1)).toBe(UNFINISHED);
    expect(String.fromCharCode(scanner.type)).toBe('>');
  });

  it('does not take an attribute for the type, and knows none until the reply’s own first byte', () => {
    const scanner = new ReplyScanner();
    const bytes = Buffer.from('|1\r\n+a\r\n:1\r\n>');
    expect(scanner.next(bytes, 0, bytes.length - 1)).toBe(UNFINISHED);
    expect(scanner.type).toBe(0);
    expect(scanner.next(bytes, bytes.length - 1, bytes.length)).toBe(UNFINISHED);
    expect(String.fromCharCode(scanner.type)).toBe('>');
  });

  const refused: [string, string][] = [
    ...[
      '$?\r\n',
      '*?\r\n',
      '%?\r\n',
      '$1x\r\n',
      '$ 1\r\n',
      '$+1\r\n',
      '$\r\n',
      '*\r\n',
      '$1.0\r\n',
      '$1-\r\n',
    ].map((bytes): [string, string] => [bytes, 'a length is not a number']),
    ['$--1\r\n', 'a length is not a number'],
    [`$${'1'.repeat(16)}\r\n`, 'a length is not a number'],
    ...[
      '$-2\r\n',
      '*-2\r\n',
      '%-1\r\n',
      '~-1\r\n',
      '>-1\r\n',
      '=-1\r\n',
      '!-1\r\n',
      '|-1\r\n',
      '$-10\r\n',
      '$-0\r\n',
    ].map((bytes): [string, string] => [bytes, 'a length is negative']),
    ['+OK\rx', 'a line does not end in CR LF'],
    [`+${'long '.repeat(40)}\rx`, 'a line does not end in CR LF'],
    ['$1\rxa\r\n', 'a line does not end in CR LF'],
    ['*1\r\r\n', 'a line does not end in CR LF'],
    ['$2\r\nabc\r\n', 'a bulk does not end in CR LF'],
    ['$2\r\nab\r\r', 'a bulk does not end in CR LF'],
    ['$2\r\nab\n\n', 'a bulk does not end in CR LF'],
    [';1\r\n', 'unexpected byte 0x3b instead of a type'],
    ['.\r\n', 'unexpected byte 0x2e instead of a type'],
    ['\r\n', 'unexpected byte 0x0d instead of a type'],
    ['\x00', 'unexpected byte 0x00 instead of a type'],
    ['HTTP/1.1 400\r\n', 'unexpected byte 0x48 instead of a type'],
    ['*2\r\n:1\r\nx\r\n', 'unexpected byte 0x78 instead of a type'],
  ];
  for (const [bytes, error] of refused) {
    it.each(waysToCut(Buffer.from(`:1\r\n${bytes}`)))(
      `refuses ${JSON.stringify(bytes.slice(0, 30))} (%s)`,
      (_, chunks) => {
        expect(scanChunks(chunks)).toEqual([{ frame: ':1\r\n', type: ':', hasResp3: false }, { error }]);
      },
    );
  }

  it('follows arrays to the greatest depth and refuses the next one', () => {
    const deepest = `${'*1\r\n'.repeat(REPLY_DEPTH_MAX)}:1\r\n`;
    expect(scanChunks([Buffer.from(deepest)])).toHaveLength(1);
    expect(scanChunks([Buffer.from(`*1\r\n${deepest}`)])).toEqual([{ error: 'a reply is nested too deep' }]);
  });

  it('is ready for another stream after reset', () => {
    const scanner = new ReplyScanner();
    const bad = Buffer.from('*2\r\n:1\r\n?');
    expect(scanner.next(bad, 0, bad.length)).toBe(NOT_RESP);
    scanner.reset();
    const ok = Buffer.from('+OK\r\n');
    expect(scanner.next(ok, 0, ok.length)).toBe(5);
  });

  it('passes a bulk of 100 MB in chunks without looking at its bytes', () => {
    const scanner = new ReplyScanner();
    const size = 100 * 1024 * 1024;
    const head = Buffer.from(`$${size}\r\n`);
    const chunk = Buffer.alloc(16 * 1024, '\r');
    expect(scanner.next(head, 0, head.length)).toBe(UNFINISHED);
    const begun = performance.now();
    for (let at = 0; at < size; at += chunk.length)
      expect(scanner.next(chunk, 0, chunk.length)).toBe(UNFINISHED);
    // Touching each byte would take some 100 ms; 6,400 jumps and expectations take a few.
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(scanner.next(Buffer.from('\r\n'), 0, 2)).toBe(2);
  });
});
