import { describe, expect, test } from 'vitest';
import { parseAdmin, parseListen } from '../../../src/config/addresses.ts';

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
