import { describe, expect, it } from 'vitest';
import { PolicyTable } from '../../../src/policy/policy-table.ts';
import type { NearCache } from '../../../src/cache/near-cache.ts';
import { endLeases, leaseKeyOf, releaseLease, takeLease } from '../../../src/session/lease-key.ts';
import { PLAIN_RULES } from '../../support/near-caches.ts';

const leased = { prefix: Buffer.from('l:'), rules: { ...PLAIN_RULES, lease: { waitMs: 1, ttlMs: 1 } } };
const cache = { policies: new PolicyTable(PLAIN_RULES, [leased]) } as NearCache;

describe('the lease of a key', () => {
  it('has a name that ends with the bytes of the key, whatever they are', () => {
    expect(leaseKeyOf('k\xff\x00').toString('latin1')).toBe('nearcache:lease:{k\xff\x00}');
  });

  it('is taken only if it is free, for a time', () => {
    const words = String(takeLease('k', 't', 1500))
      .split('\r\n')
      .filter((_, i) => i > 0 && i % 2 === 0);
    expect(words).toEqual(['SET', 'nearcache:lease:{k}', 't', 'NX', 'PX', '1500']);
  });

  it('is given back by name and token', () => {
    const words = String(releaseLease('k', 't'))
      .split('\r\n')
      .filter((_, i) => i > 0 && i % 2 === 0);
    expect(words.slice(2)).toEqual(['1', 'nearcache:lease:{k}', 't']);
  });
});

describe('a write', () => {
  it('ends the leases of those keys that may have one', () => {
    expect(String(endLeases(cache, ['a', 'l:\xff', 'b', 'l:2']))).toBe(
      Buffer.from(
        '*3\r\n$6\r\nUNLINK\r\n$21\r\nnearcache:lease:{l:\xff}\r\n$21\r\nnearcache:lease:{l:2}\r\n',
        'latin1',
      ).toString(),
    );
  });

  it('ends none where no key may have one', () => {
    expect(endLeases(cache, ['a', 'm:1'])).toBeUndefined();
  });
});
