/** A request that Redis refuses, with the text behind `-ERR Protocol error: `. Bytes are latin1. */
export interface MalformedRequest {
  name: string;
  bytes: string;
  error: string;
  /** True: refused only before AUTH, on a server that asks for one. */
  isStranger?: boolean;
}

const LINE_BYTES = 65_536;

/** Each way in which Redis 7.0.15 refuses a request. The decoder's tests and the tests against a real server share it. */
export const MALFORMED: readonly MalformedRequest[] = [
  ...invalidCounts().map((count) => ({
    name: `an argument count of ${JSON.stringify(count)}`,
    bytes: `*${count}\r\n`,
    error: 'invalid multibulk length',
  })),
  ...invalidLengths().map((length) => ({
    name: `an argument length of ${JSON.stringify(length)}`,
    bytes: `*1\r\n$${length}\r\n`,
    error: 'invalid bulk length',
  })),
  ...['f', '*', '\t', ':', '\xff'].map((byte) => ({
    name: `an argument that begins with ${JSON.stringify(byte)}`,
    bytes: `*1\r\n${byte}1\r\n`,
    error: `expected '$', got '${byte}'`,
  })),
  { name: 'an empty line instead of a length', bytes: '*1\r\n\r\n', error: "expected '$', got '\r'" },
  { name: 'a line feed instead of a length', bytes: '*1\r\n\n\r\n', error: "expected '$', got '\n'" },
  {
    name: 'a second argument without a length',
    bytes: '*2\r\n$4\r\nECHO\r\nhi\r\n',
    error: "expected '$', got 'h'",
  },
  {
    name: 'a length that ends in a lone carriage return',
    bytes: '*1\r\n$x\ry',
    error: 'invalid bulk length',
  },
  {
    name: 'a count line without end',
    bytes: `*${'1'.repeat(LINE_BYTES)}`,
    error: 'too big mbulk count string',
  },
  {
    name: 'a length line without end',
    bytes: `*1\r\n$${'1'.repeat(LINE_BYTES)}`,
    error: 'too big bulk count string',
  },
  {
    name: 'a count line that a NUL keeps from ending',
    bytes: `*\0\r\n${'1'.repeat(LINE_BYTES)}`,
    error: 'too big mbulk count string',
  },
  {
    name: 'an inline request without end',
    bytes: 'x'.repeat(LINE_BYTES + 1),
    error: 'too big inline request',
  },
  {
    name: 'an inline request that a NUL keeps from ending',
    bytes: `\0\r\n${'x'.repeat(LINE_BYTES)}`,
    error: 'too big inline request',
  },
  ...['"PING\r\n', "'PING\r\n", '"PING"x\r\n', "'PING'x\r\n", 'P"IN"G\r\n', '"PING\\"\r\n', "a 'b\\'\n"].map(
    (line) => ({
      name: `the inline request ${JSON.stringify(line)}`,
      bytes: line,
      error: 'unbalanced quotes in request',
    }),
  ),
  {
    name: 'eleven arguments before AUTH',
    bytes: '*11\r\n',
    error: 'unauthenticated multibulk length',
    isStranger: true,
  },
  {
    name: 'an argument over 16 KiB before AUTH',
    bytes: '*1\r\n$16385\r\n',
    error: 'unauthenticated bulk length',
    isStranger: true,
  },
];

function invalidCounts(): string[] {
  return [
    '',
    '-',
    '-0',
    '00',
    '01',
    '-01',
    '+1',
    ' 1',
    '1 ',
    '1x',
    'x',
    '1.5',
    '2147483648',
    '9223372036854775807',
    '9223372036854775808',
    '-9223372036854775809',
    '11111111111111111111',
    '1'.repeat(40),
  ];
}

function invalidLengths(): string[] {
  return [
    '',
    '-',
    '-1',
    '-0',
    '04',
    '00',
    '+4',
    '4x',
    ' 4',
    '536870913',
    '99999999999',
    '9223372036854775807',
    '9223372036854775808',
    '1'.repeat(40),
  ];
}
