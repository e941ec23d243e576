import { on, raw, type Group, type Step } from '../script.ts';

/** Streams that break the protocol, by what is wrong: Redis says so and ends the connection. */
const broken: Readonly<Record<string, string>> = {
  'a multibulk count that is no number': '*x\r\n',
  'a multibulk count over the limit': '*2147483648\r\n',
  'a multibulk count far over the limit': '*99999999999999999999\r\n',
  'a bulk that does not begin with $': '*1\r\nGET\r\n',
  'a bulk length that is no number': '*1\r\n$x\r\n',
  'a negative bulk length': '*1\r\n$-1\r\n',
  'a bulk length over the limit': '*2\r\n$3\r\nGET\r\n$536870913\r\n',
  'an empty bulk length': '*1\r\n$\r\n',
  'unbalanced quotes': 'GET "str\r\n',
  'a quote inside a word': 'GET "str"x\r\n',
  'an inline request that never ends': 'x'.repeat(70_000),
  'a multibulk header that never ends': `*${'1'.repeat(70_000)}`,
  'a bulk header that never ends': `*1\r\n$${'1'.repeat(70_000)}`,
  'a count with a leading zero': '*02\r\n$3\r\nGET\r\n$3\r\nstr\r\n',
  'a count with a sign': '*+1\r\n$4\r\nPING\r\n',
  'a length with a leading zero': '*1\r\n$04\r\nPING\r\n',
};

export const protocol: Group = {
  name: 'protocol',
  scripts: {
    'inline requests': {
      steps: [
        raw('a', 'PING\r\n'),
        raw('a', 'PING\n'),
        raw('a', '  PING   hello  \r\n'),
        raw('a', 'SET k "a b\\x00\\xff\\n\\"q\\"" \r\nGET k\r\n', 2),
        raw('a', "SET k 'single \\' quote \\n'\r\nGET k\r\n", 2),
        raw('a', 'SET k ""\r\nGET k\r\n', 2),
        raw('a', '\r\n\r\nPING\r\n'),
        raw('a', '*0\r\nPING\r\n'),
        raw('a', '*-1\r\nPING\r\n'),
        raw('a', 'GET k\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nGET k\r\n', 3),
        raw('a', 'NOSUCH a b\r\n'),
        raw('a', 'GET\r\n'),
        raw('a', `SET big ${'x'.repeat(60_000)}\r\nSTRLEN big\r\n`, 2),
        raw('a', 'MULTI\r\nGET k\r\nEXEC\r\n', 3),
        raw('a', '\t PING\t\r\n'),
      ],
    },
    'a request in pieces of one byte': {
      steps: [
        ...pieces('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$6\r\na\r\nb\r\n\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n', 2),
      ],
    },
    'a bulk is not followed by CRLF': { steps: [raw('a', '*2\r\n$3\r\nGETxx$3\r\nstrxx')] },
    ...Object.fromEntries(
      Object.entries(broken).map(([what, bytes]) => [
        what,
        {
          noPing: true as const,
          steps: [
            'GET str',
            raw('a', `*2\r\n$3\r\nGET\r\n$3\r\nstr\r\n${bytes}`),
            { on: 'a', ended: true as const },
            on('b', 'GET str'),
          ],
        },
      ]),
    ),
    'a web browser is cut off': {
      noPing: true,
      steps: [
        raw('a', 'POST / HTTP/1.1\r\nHost: x\r\n\r\n', 0),
        { on: 'a', ended: true },
        raw('b', 'Host: x\r\n', 0),
        { on: 'b', ended: true },
      ],
    },
    'a broken stream inside a transaction discards it': {
      noPing: true,
      steps: ['MULTI', 'SET str x', raw('a', '*1\r\nx\r\n', 0), { on: 'a', ended: true }, on('b', 'GET str')],
    },
  },
};

function pieces(bytes: string, frames: number): Step[] {
  return Array.from(bytes, (byte, i) => raw('a', byte, i === bytes.length - 1 ? frames : 0));
}
