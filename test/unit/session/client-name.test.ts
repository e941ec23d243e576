import { describe, expect, it } from 'vitest';

import { isValidName } from '../../../src/session/client-name.ts';

describe('isValidName', () => {
  it.each(['', 'app', '!', '~', 'a-b_c:d.e/f', '{}"\\'])('takes %j', (name) => {
    expect(isValidName(name)).toBe(true);
  });

  it.each(['a b', ' ', 'a\n', '\n', '\0', '\x7f', '\x80', 'é', 'a\r'])('refuses %j', (name) => {
    expect(isValidName(name)).toBe(false);
  });
});
