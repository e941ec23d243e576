import { describe, expect, it } from 'vitest';

import { readReshardOptions } from '../../../src/cli/reshard-options.ts';

const files = ['--from', 'old.yaml', '--to', 'new.yaml'];

function read(...argv: string[]): unknown {
  const result = readReshardOptions(argv);
  return 'options' in result ? result.options : result.problems;
}

describe('the arguments of nearcache reshard', () => {
  it('have defaults', () => {
    expect(read('plan', ...files)).toEqual({
      command: 'plan',
      from: 'old.yaml',
      to: 'new.yaml',
      rate: 5000,
      batch: 100,
      holdMs: 2000,
      method: 'auto',
      onConflict: 'stop',
      resume: false,
      deleteStrays: false,
      kick: false,
      json: false,
    });
  });

  it('are read', () => {
    const given = [
      '--rate',
      '70/s',
      '--batch=9',
      '--hold',
      '500ms',
      '--method',
      'copy',
      '--conflicts',
      'keep-new',
    ];
    expect(read('run', ...files, ...given, '--resume', '--kick', '--json', '--delete-strays')).toMatchObject({
      command: 'run',
      rate: 70,
      batch: 9,
      holdMs: 500,
      method: 'copy',
      onConflict: 'keep-new',
      resume: true,
      kick: true,
      json: true,
      deleteStrays: true,
    });
  });

  it('tell all mistakes at once', () => {
    expect(
      read('go', '--from', 'a', '--rate', '0', '--hold', '1h', '--methd', 'copy', '--conflicts', 'x'),
    ).toEqual([
      '--methd: no such flag; did you mean --method?',
      'reshard: "go copy" is not a command; accepted: plan, run, status',
      '--to: is required; accepted: a file',
      '--rate: "0" is not accepted; accepted: 1 to 1000000',
      '--hold: "1h" is not accepted; accepted: 100ms to 2500ms',
      '--conflicts: "x" is not accepted; accepted: stop, keep-new, keep-old',
    ]);
  });
});
