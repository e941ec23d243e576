import { describe, expect, test } from 'vitest';
import { createLogger, type LogFields, type LogFormat, type LogLevel } from '../../../src/base/log.ts';

function captured(level: LogLevel = 'info', format: LogFormat = 'json') {
  const lines: string[] = [];
  const logger = createLogger({ level, format, destination: { write: (line) => void lines.push(line) } });
  return { logger, lines };
}

describe('JSON', () => {
  test('a line has level, time, fields and message, and nothing of the machine', () => {
    const { logger, lines } = captured();
    logger.info({ shard: 'shard0', count: 2 }, 'shard is up');
    const line = JSON.parse(lines[0] as string) as Record<string, unknown>;
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      shard: 'shard0',
      count: 2,
      msg: 'shard is up',
    });
  });

  test('a child adds its fields to each line', () => {
    const { logger, lines } = captured();
    logger.child({ sessionId: 7 }).warn({ reason: 'quit' }, 'session closed');
    expect(JSON.parse(lines[0] as string)).toMatchObject({ sessionId: 7, reason: 'quit', level: 'warn' });
  });

  test('lines below the level are not written', () => {
    const { logger, lines } = captured('warn');
    logger.info('unseen');
    logger.error('seen');
    expect(lines).toHaveLength(1);
  });

  test('an error keeps its message and code', () => {
    const { logger, lines } = captured();
    logger.error({ error: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) }, 'cannot connect');
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      error: { message: 'refused', code: 'ECONNREFUSED' },
    });
  });
});

describe('secrets', () => {
  test.each(['json', 'pretty'] as const)(
    'passwords do not reach the %s log, at any depth or in any URL',
    (format) => {
      const { logger, lines } = captured('info', format);
      const fields: object = {
        password: 'hunter2',
        upstream: { password: 'hunter2', url: 'rediss://u:hunter2@h:1' },
        config: { upstream: { password: 'hunter2' }, upstreamPassword: 'hunter2' },
        error: new Error('connect redis://:hunter2@h:1 failed'),
        sentinel: { sentinelPassword: 'hunter2' },
      };
      logger.info(fields as LogFields, 'upstream redis://u:hunter2@h');
      logger.info('upstream redis+sentinel://h/main?sentinelUser=s&sentinelPassword=hunter2,redis://h');
      expect(lines.join('')).toContain('upstream');
      expect(lines.join('')).not.toContain('hunter2');
    },
  );

  test('a URL without credentials and an address behind it stay as they are', () => {
    const { logger, lines } = captured();
    logger.info({ address: 'redis://h:1', reason: 'user@example' }, 'm');
    expect(JSON.parse(lines[0] as string)).toMatchObject({ address: 'redis://h:1', reason: 'user@example' });
  });
});

describe('pretty', () => {
  test('a line is for people, on one line and without colours when it is not a terminal', () => {
    const { logger, lines } = captured('info', 'pretty');
    logger.info({ shard: 'shard0' }, 'shard is up');
    expect(lines).toEqual([expect.stringMatching(/^\[[\d:.]+\] INFO: shard is up \{"shard":"shard0"\}\n$/)]);
  });

  test('auto means JSON for anything but a terminal', () => {
    const { logger, lines } = captured('info', 'auto');
    logger.info('m');
    expect(JSON.parse(lines[0] as string)).toMatchObject({ msg: 'm' });
  });
});
