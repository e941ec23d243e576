import { describe, expect, test } from 'vitest';
import { parseAdmin, parseListen, parseUpstream } from '../../../src/config/addresses.ts';

describe('listeners', () => {
  test.each([
    ['127.0.0.1:6379', { kind: 'tcp', host: '127.0.0.1', port: 6379 }],
    ['[::1]:0', { kind: 'tcp', host: '::1', port: 0 }],
    ['tls://localhost:6390', { kind: 'tls', host: 'localhost', port: 6390 }],
    ['unix:/run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
    ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
  ])('%s is read', (text, expected) => {
    expect(parseListen(text)).toEqual({ value: expected });
  });

  test.each([
    '127.0.0.1',
    '::1:6379',
    '[127.0.0.1]:1',
    'a:65536',
    ':6379',
    'unix:run/x.sock',
    `unix:/${'x'.repeat(107)}`,
    'a b:1',
  ])('%s is refused', (text) => {
    expect(parseListen(text).problem).toContain(`"${text}"`);
  });
});

describe('the admin address', () => {
  test.each([
    ['off', undefined],
    [':9379', { host: '::', port: 9379 }],
    ['[::1]:1', { host: '::1', port: 1 }],
  ])('%s is read', (text, expected) => {
    expect(parseAdmin(text)).toEqual({ value: expected });
  });

  test('a port alone is refused', () => {
    expect(parseAdmin('9379').problem).toContain('"9379"');
  });
});

describe('the upstream', () => {
  test.each([
    ['redis://h', { host: 'h', port: 6379, tls: false }],
    ['redis://h:1/', { host: 'h', port: 1, tls: false }],
    ['redis://h:1/0', { host: 'h', port: 1, tls: false }],
    ['rediss://[::1]:7', { host: '::1', port: 7, tls: true }],
    ['redis://:p%40w@h', { host: 'h', port: 6379, tls: false, password: 'p@w' }],
    ['redis://u:a,b@h', { host: 'h', port: 6379, tls: false, user: 'u', password: 'a,b' }],
  ])('%s is read', (text, expected) => {
    expect(parseUpstream(text)).toEqual({ value: { name: 'shard0', ...expected } });
  });

  test.each([
    'redis://h1:1,redis://h2:1',
    'redis://u:pw@h1:1,redis://u:pw@h2:1',
    'redis://h1:1,h2:1',
    'redis+cluster://h1:1',
    'redis+sentinel://s1:26379/mymaster',
  ])('%s asks for the ring, which is not there yet', (text) => {
    expect(parseUpstream(text).problem).toMatch(/^several shards need the ring/);
  });

  test.each([
    ['redis://h/1', /database/],
    ['redis://h?db=1', /query/],
    ['redis://u:%zz@h', /percent/],
    ['redis://', /not a valid URL/],
    ['redis://h:99999', /not a valid URL/],
    ['redis://h:0', /port 0/],
    ['http://h', /not http:/],
    ['h:6379', /must start with redis:/],
  ])('%s is refused with a reason', (text, expected) => {
    expect(parseUpstream(text).problem).toMatch(expected);
  });
});
