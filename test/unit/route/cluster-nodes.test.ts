import { describe, expect, test } from 'vitest';

import { ClusterNodesError, parseClusterNodes } from '../../../src/route/cluster-nodes.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const C = 'c'.repeat(40);
const MYSELF = `${A} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-5460\n`;

function parse(text: string): ReturnType<typeof parseClusterNodes> {
  return parseClusterNodes(text, '10.0.0.9');
}

/** The second node of a view, which has this line. */
function other(line: string): unknown {
  return parse(`${MYSELF}${line}\n`).nodes[1];
}

describe('a node', () => {
  test('is read with all that is said of it', () => {
    const { self, nodes, movingSlots } = parse(MYSELF);

    expect(nodes).toEqual([self]);
    expect(movingSlots).toEqual([]);
    expect(self).toEqual({
      id: A,
      host: '127.0.0.1',
      port: 7000,
      hostname: '',
      role: 'primary',
      primaryId: '',
      health: 'online',
      isHandshake: false,
      configEpoch: 1,
      isConnected: true,
      slots: [{ first: 0, last: 5460 }],
    });
  });

  test('has ranges and single slots', () => {
    const node = other(`${B} h:1@2 master - 0 1426238317239 2 connected 5461 7000-7001 16383`);
    expect(node).toMatchObject({
      slots: [
        { first: 5461, last: 5461 },
        { first: 7000, last: 7001 },
        { first: 16_383, last: 16_383 },
      ],
    });
  });

  test('may be a replica, which has no slots', () => {
    const node = other(`${B} 127.0.0.1:7003@17003 slave ${A} 0 1426238317741 1 connected`);
    expect(node).toMatchObject({ role: 'replica', primaryId: A, slots: [] });
  });

  test.each([
    ['master,fail?', { role: 'primary', health: 'suspected' }],
    ['master,fail', { role: 'primary', health: 'failed' }],
    ['slave,fail', { role: 'replica', health: 'failed' }],
    ['slave,nofailover', { role: 'replica', health: 'online' }],
    ['handshake', { role: 'unknown', isHandshake: true }],
    ['noflags', { role: 'unknown', health: 'online', isHandshake: false }],
  ])('with the flags %s is read as such', (flags, expected) => {
    expect(other(`${B} h:1@2 ${flags} - 0 0 2 disconnected`)).toMatchObject({
      ...expected,
      isConnected: false,
    });
  });

  test.each([
    ['127.0.0.1:7001', { host: '127.0.0.1', port: 7001, hostname: '' }],
    ['127.0.0.1:7001@17001', { host: '127.0.0.1', port: 7001, hostname: '' }],
    ['127.0.0.1:7001@17001,', { host: '127.0.0.1', port: 7001, hostname: '' }],
    ['127.0.0.1:7001@17001,redis-1.svc', { host: '127.0.0.1', port: 7001, hostname: 'redis-1.svc' }],
    ['127.0.0.1:7001@17001,?', { host: '127.0.0.1', port: 7001, hostname: '' }],
    [
      '127.0.0.1:7001@17001,redis-1.svc,nodename=n1,shard-id=abc',
      { host: '127.0.0.1', port: 7001, hostname: 'redis-1.svc' },
    ],
    ['127.0.0.1:7001@17001,,shard-id=abc', { host: '127.0.0.1', port: 7001, hostname: '' }],
    ['2001:db8::1:7001@17001', { host: '2001:db8::1', port: 7001 }],
    ['::1:7001@17001,h', { host: '::1', port: 7001, hostname: 'h' }],
    [':7001@17001', { host: '10.0.0.9', port: 7001 }],
    ['?:7001@17001', { host: '10.0.0.9', port: 7001 }],
  ])('at %s has that address', (address, expected) => {
    expect(other(`${B} ${address} master - 0 0 2 connected`)).toMatchObject(expected);
  });

  test('without an address has none, not the one that was asked', () => {
    expect(other(`${B} :0@0 master,noaddr - 0 0 2 disconnected`)).toMatchObject({ host: '', port: 0 });
  });
});

describe('a view', () => {
  test('knows which node it is of', () => {
    const { self, nodes } = parse(
      `${B} h:1@2 master - 0 0 2 connected\n${MYSELF}${C} h:3@4 slave ${B} 0 0 2 connected\n`,
    );
    expect(self.id).toBe(A);
    expect(nodes.map(({ id }) => id)).toEqual([B, A, C]);
  });

  test('knows which slots are coming and going', () => {
    const { movingSlots, self } = parse(`${MYSELF.trimEnd()} [93->-${B}] [16383-<-${C}]\n`);
    expect(movingSlots).toEqual([93, 16_383]);
    expect(self.slots).toEqual([{ first: 0, last: 5460 }]);
  });

  test('may have line ends of either kind', () => {
    expect(parse(MYSELF.replace('\n', '\r\n')).nodes).toHaveLength(1);
  });
});

test.each([
  ['an empty text', '', 'no line says myself: ""'],
  ['an error', 'ERR This instance has cluster support disabled', 'too few words'],
  ['a view of nobody', MYSELF.replace('myself,', ''), 'no line says myself'],
  ['two nodes that were asked', MYSELF + MYSELF, 'two lines say myself'],
  ['an id that is none', MYSELF.replace(A, 'xyz'), 'no node id'],
  ['an address without a port', MYSELF.replace(':7000@17000', ''), 'no address'],
  ['a port that is none', MYSELF.replace(':7000@', ':70000@'), 'no address'],
  ['an epoch that is none', MYSELF.replace(' 1 connected', ' x connected'), 'no config epoch'],
  ['a slot that is none', MYSELF.replace('0-5460', '16384'), 'no slots: "16384"'],
  ['a range backwards', MYSELF.replace('0-5460', '7-6'), 'no slots: "7-6"'],
  ['a word that is no slot', MYSELF.replace('0-5460', 'slots'), 'no slots: "slots"'],
  ['a moving slot that is none', MYSELF.replace('0-5460', `[16384->-${B}]`), 'no moving slot'],
  ['a moving slot without a node', MYSELF.replace('0-5460', '[1->-]'), 'no moving slot: "[1->-]"'],
  ['a text above the limit', `${MYSELF}${'x'.repeat(4 * 1024 * 1024)}`, 'more than the 4194304'],
])('refuses %s', (_, text, message) => {
  expect(() => parse(text)).toThrow(ClusterNodesError);
  expect(() => parse(text)).toThrow(message);
});

test('does not repeat a long line in its error', () => {
  let message = '';
  try {
    parse('x'.repeat(100_000));
  } catch (error) {
    message = String(error);
  }
  expect(message.length).toBeGreaterThan(50);
  expect(message.length).toBeLessThan(150);
});
