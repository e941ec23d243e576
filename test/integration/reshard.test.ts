import { describe, expect, it } from 'vitest';

import { Drive } from '../reshard/drive.ts';

describe('a ring that changes while apps use it', () => {
  it('becomes four shards and three again, with the tool killed in between, and the apps see nothing', async () => {
    const drive = await Drive.start({
      keys: 20_000,
      nearcaches: 2,
      lanes: 4,
      rate: 2500,
      say: () => undefined,
    });
    try {
      const { wrong, commands, fastestRate, slowestMs, kills } = await drive.run();
      expect(wrong).toEqual([]);
      expect(commands).toBeGreaterThan(10_000);
      expect(kills).toBe(2);
      expect(fastestRate).toBeLessThan(2500 * 1.2);
      expect(slowestMs).toBeLessThan(15_000);
    } finally {
      await drive.stop();
    }
  }, 400_000);
});
