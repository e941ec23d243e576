import { describe, expect, it } from 'vitest';

import { helloArguments } from '../../../src/shard/credentials.ts';

describe('helloArguments', () => {
  it('asks for the protocol alone when there is no password', () => {
    expect(helloArguments(3, { user: 'someone', password: undefined })).toEqual(['HELLO', '3']);
    expect(helloArguments(2, { user: undefined, password: undefined })).toEqual(['HELLO', '2']);
  });

  it('authenticates as the named user', () => {
    const password = Buffer.from([0xff, 0x00]);
    expect(helloArguments(3, { user: 'app', password })).toEqual(['HELLO', '3', 'AUTH', 'app', password]);
  });

  it('authenticates as the default user when only a password is given', () => {
    expect(helloArguments(2, { user: undefined, password: 'pw' })).toEqual([
      'HELLO',
      '2',
      'AUTH',
      'default',
      'pw',
    ]);
  });

  it('takes an empty password for one', () => {
    expect(helloArguments(3, { user: 'app', password: '' })).toHaveLength(5);
  });
});
